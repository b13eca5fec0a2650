"""Cases with their truth: TotalSegmentator's layout, balanced samples, a synthetic CT."""

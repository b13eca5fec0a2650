/** The dialog that is open, if any. */

import { signal } from "@preact/signals";

export const dialog = signal<"help" | "export" | "import" | "open" | null>(null);

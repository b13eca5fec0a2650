"""From records to tables, figures and picture sheets that a reader can check.

`voxtrail.study.report.build.build` is the one door. Numbers come from records alone; the paper's
own stand beside them where its text has them.
"""

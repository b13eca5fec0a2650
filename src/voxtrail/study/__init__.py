"""The paper's study and ours: experiments, a runner that resumes, records, tables and figures.

An experiment is a file of `voxtrail.study.experiments`; its variants name tasks
(`voxtrail.study.tasks`), and equal tasks of several experiments are run once.
"""

"""Yearly tasks 年度任务: decomposition to lead and responsible units, due dates, progress, reminders."""

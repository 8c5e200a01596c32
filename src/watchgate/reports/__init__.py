"""What was done, for those who answer for it: reports and coverage."""

"""Units that are not bought: volunteers' hours, credited by those who may, with a reason."""

"""Who could be the teacher, an audition, and a teacher that answers the rows of a dataset."""

from studio.ui.teacher.page import teacher_page

teacher_page()

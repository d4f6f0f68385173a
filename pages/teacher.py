"""Who could be the teacher, an audition, new inputs, a teacher's answers, and what filters them."""

from studio.ui.curation.page import curation_results
from studio.ui.teacher.page import teacher_page

teacher_page()
curation_results("generate", "judge", "curate")

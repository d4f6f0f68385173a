"""People check a teacher's answers: `/review`, those of one dataset by `/review?review=<id>`."""

from studio.ui.review.page import review_page

review_page()

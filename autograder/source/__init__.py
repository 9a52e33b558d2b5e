"""The percent files of `solutions/` read into questions and cells, and everything that is wrong with them."""

from autograder.source.errors import SourceError
from autograder.source.model import ROLES, Cell, Part, PartKind, Question, Region, SourceSet
from autograder.source.namespace import Namespace, cells, definitions, execute
from autograder.source.pages import files_of, located, page, read_page
from autograder.source.problem_set import read_draft, read_set
from autograder.source.question import read_question
from autograder.source.worth import HiddenTest, check_worth, hidden_test_file, read_hidden_tests

__all__ = [
    "ROLES",
    "Cell",
    "HiddenTest",
    "Namespace",
    "Part",
    "PartKind",
    "Question",
    "Region",
    "SourceError",
    "SourceSet",
    "cells",
    "check_worth",
    "definitions",
    "execute",
    "files_of",
    "hidden_test_file",
    "located",
    "page",
    "read_draft",
    "read_hidden_tests",
    "read_page",
    "read_question",
    "read_set",
]

"""Turns a problem into what is sent: problem details to a program, a page to a person."""

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from recorder.web.drawing import Drawing
from recorder.web.languages import language_of, speaker
from recorder.web.problems import MEDIA_TYPE, Kind, Problem
from recorder.web.words import REFUSED

API = "/api/"


class Answers:
    """Says what went wrong, in the reader's language and nothing more than they may know."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing

    def problem(self, problem: Problem, scope: Scope) -> Response:
        """Return the answer to a request that is not carried out."""
        if is_for_machines(scope):
            return self._for_programs(problem, scope)
        template = "refused.html" if problem.kind is Kind.REFUSED else "problem.html"
        page = self._drawing.page(
            template,
            scope,
            status=problem.kind.status,
            problem=problem,
            kind=problem.kind,
            why=REFUSED.get(problem.reason, ""),
        )
        page.headers.update(problem.headers)
        return page

    def _for_programs(self, problem: Problem, scope: Scope) -> Response:
        language = language_of(scope)
        say, kind = speaker(language), problem.kind
        body: dict[str, object] = {
            "type": kind.uri,
            "title": say(kind.title),
            "status": kind.status,
        }
        why = problem.detail or REFUSED.get(problem.reason, "") or kind.advice
        if detail := say(why):
            body["detail"] = detail
        if problem.reason:
            body["reason"] = problem.reason
        if problem.faults:
            body["errors"] = [{"field": each.where, "rule": each.what} for each in problem.faults]
        if problem.instance:
            body["instance"] = f"urn:uuid:{problem.instance}"
        headers = {"Content-Language": language, **problem.headers}
        return JSONResponse(body, kind.status, headers, media_type=MEDIA_TYPE)


def is_for_machines(scope: Scope) -> bool:
    """Tell whether a program asks."""
    path: str = scope["path"]
    return path.startswith(API)

"""What a problem means, at the address that every problem carries as its `type`."""

from html import escape
from typing import Any

from flask import Response, request

from api import problems
from api.auth import anyone
from api.problems import Problem
from api.routing import Resource
from kernel.errors import NotFound

problem_pages = Resource("problems", "/problems", "Problems: what may be answered instead.")


@problem_pages.get(
    "/<slug>", guard=anyone, transaction="own", produces=("application/json", "text/html")
)
def describe_problem(*, slug: str) -> Any:
    """Describe a problem, in both languages; as a page for browsers, else as JSON."""
    entry = problems.catalogue().get(slug)
    if entry is None:
        raise NotFound
    wants_page = request.accept_mimetypes.best_match(("application/json", "text/html"))
    if wants_page == "text/html":
        return Response(_page(slug, entry), content_type="text/html; charset=utf-8")
    return {"type": f"/problems/{slug}", "en": _told(entry, "en"), "zh-TW": _told(entry, "zh-TW")}


def _told(entry: Problem, language: problems.Language) -> dict[str, str]:
    return entry.wording(language)._asdict()


def _page(slug: str, entry: Problem) -> str:
    parts = [
        f'<section lang="{language}"><h1>{escape(wording.title)}</h1>'
        f"<p>{escape(wording.detail)}</p></section>"
        for language in _LANGUAGES
        for wording in (entry.wording(language),)
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(slug)}</title>'
    return head + "".join(parts)


_LANGUAGES: tuple[problems.Language, ...] = ("en", "zh-TW")

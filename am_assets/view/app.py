"""The routes of `am view`. Pages are made on the server and sent as they are made; only a mark changes anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from am_assets.config.files import ConfigError
from am_assets.planning.explain.asking import looked_up
from am_assets.planning.explain.rows import find
from am_assets.project import Project
from am_assets.view import agreeing, comparing, filters, guard, marks, reporting, row
from am_assets.view.filters import PAGE, Asked, asked_of
from am_assets.view.pages import rendered, streamed
from am_assets.view.shelf import Shelf

MOST_BYTES = 20_000  # of a form
WORDS = {"names": filters.FACETS, "sorts": filters.SORTS, "within": filters.WITHIN, "most": filters.MOST_VALUES}
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Pages:
    """`ui`: the address of Dagster's UI, for links to the pages of assets."""

    shelf: Shelf
    ui: str
    token: str

    def listing(self, request: Request) -> Response:
        asked = self._asked(request)
        return self._streamed(
            "list.html", asked, **self._list(asked), facets=partial(self.shelf.facets, asked), **WORDS
        )

    def _list(self, asked: Asked) -> dict[str, Any]:
        """What the template needs of the rows: frames of them as they are found, and how many there are at the end."""
        shelf = self.shelf
        if asked.find and asked.within == "answers":
            return {"frames": self._with_texts(shelf.page_of_hits(asked)), "count": None}
        if asked.find and not asked.sort:  # counted when its first rows are shown
            return {"frames": self._with_texts(shelf.page_of_hits(asked)), "count": lambda: shelf.listed(asked).height}
        if not asked.rest and not shelf.ready(asked.recipe) and (first := shelf.first(asked.recipe)).height:
            return {"frames": self._with_texts(iter([first])), "count": lambda: shelf.rows(asked.recipe).height}

        def whole() -> Iterator[pl.DataFrame]:
            yield shelf.listed(asked).slice((asked.page - 1) * PAGE, PAGE + 1)

        return {"frames": self._with_texts(whole()), "count": lambda: shelf.listed(asked).height}

    def _with_texts(self, frames: Iterator[pl.DataFrame]) -> Iterator[list[dict[str, Any]]]:
        said = marks.read(self.shelf.here.data)
        for frame in frames:
            texts = self.shelf.excerpts(frame)
            yield [
                {**one, "text": texts.get(one["question_id"], ""), "mark": said.get(one["response_id"])}
                for one in frame.to_dicts()
            ]

    def opened(self, request: Request) -> Response:
        asked, here = self._asked(request), self.shelf.here
        wanted = find(self.shelf.store, here, request.path_params["question"])
        found = [looked_up(here, name, wanted) for name in self.shelf.recipes]
        found.sort(key=lambda one: one[0].recipe != asked.recipe)
        chosen = request.query_params.get("response")
        at, total, (before, after) = filters.beside(self.shelf.listed(asked), wanted, chosen)
        content = row.page(found)
        place: dict[str, Any] = {"at": at, "total": total, "before": before, "after": after, "chosen": chosen}
        return self._rendered("row.html", asked, page=content, says=marks.SAYS, marks=marks.read(here.data), **place)

    async def mark(self, request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return self._fault("A note has at most 2,000 characters.", 413)
        given = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=10))
        if not guard.same(given.get("token", ""), self.token):
            return self._fault("This form is of another session of the page: go back, reload it, and try again.", 403)
        says, key, question = (given.get(name, "") for name in ("says", "response", "question"))
        if says not in marks.SAYS or not key.isalnum() or not question.isalnum() or len(key + question) > 128:
            return self._fault("A mark says right, wrong or unsure of a response.", 400)
        note = given.get("note", "").strip()[: marks.MOST_CHARS]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        marks.add(self.shelf.here.data, marks.Mark(key, question, says, note, now))
        asked = asked_of(request.query_params.multi_items(), self.shelf.recipes)
        return RedirectResponse(f"/row/{question}?{asked.query()}&response={key}", 303)

    def marked(self, request: Request) -> Response:
        asked, here = self._asked(request), self.shelf.here
        said = marks.read(here.data)
        table = agreeing.agreement(self.shelf.store, asked.recipe, said)
        return self._rendered(
            "marks.html", asked, figures_of=table.to_dicts(), marks=list(said.values()), says=marks.SAYS
        )

    def compared(self, request: Request) -> Response:
        asked = self._asked(request)
        if len(self.shelf.recipes) < 2:
            return self._fault("A comparison takes two recipes: am view -r ONE -r OTHER", 404)
        return self._rendered("compare.html", asked, **comparing.page(self.shelf, request.query_params))

    def report(self, request: Request) -> Response:
        asked = self._asked(request)
        return self._streamed("report.html", asked, **reporting.frame(self.shelf, asked.recipe))

    def report_file(self, request: Request) -> Response:
        asked = self._asked(request)
        if not self.shelf.report(asked.recipe).exists():
            return self._fault(f"no report of {asked.recipe} yet", 404)
        headers = {"content-security-policy": guard.REPORT_POLICY}
        return FileResponse(self.shelf.report(asked.recipe), media_type="text/html", headers=headers)

    def _asked(self, request: Request) -> Asked:
        return asked_of(request.query_params.multi_items(), self.shelf.recipes)

    def _common(self, asked: Asked | None) -> dict[str, Any]:
        asked = asked or Asked(self.shelf.recipes[0])
        return {"asked": asked, "recipes": self.shelf.recipes, "ui": self.ui, "token": self.token, "page_rows": PAGE}

    def _streamed(self, name: str, asked: Asked, **content: Any) -> Response:
        return StreamingResponse(streamed(name, **self._common(asked), **content), media_type="text/html")

    def _rendered(self, name: str, asked: Asked | None, status: int = 200, **content: Any) -> Response:
        return Response(rendered(name, **self._common(asked), **content), status, media_type="text/html")

    def _fault(self, words: str, status: int) -> Response:
        return self._rendered("fault.html", None, status, words=words)

    def not_there(self, _: Request, error: Exception) -> Response:
        return self._fault(str(error), 404)


def application(here: Project, recipes: list[str], ui: str, names: frozenset[str] | None, token: str | None) -> ASGIApp:
    """The pages of some recipes of a project, the first one shown first. `names` and `token`: see `guard.Guard`."""
    pages = Pages(Shelf(here, recipes), ui, guard.form_token())
    app = Starlette(
        routes=[
            Route("/", pages.listing),
            Route("/row/{question}", pages.opened),
            Route("/mark", pages.mark, methods=["POST"]),
            Route("/marks", pages.marked),
            Route("/compare", pages.compared),
            Route("/report", pages.report),
            Route("/report/page", pages.report_file),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        exception_handlers={ConfigError: pages.not_there},
    )
    return guard.Guard(app, names, token)

"""The part of the Hugging Face Hub's API that its client needs to fetch a model, on the loopback address."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = (".safetensors", ".bin")  # kept elsewhere, and redirected to


def commit_of(name: str) -> str:
    return hashlib.sha1(name.encode()).hexdigest()


@dataclass
class Repository:
    """Files by revision; `parents` says of which commit a pull request was made."""

    revisions: dict[str, dict[str, bytes]]
    discussions: list[dict[str, Any]] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    error: tuple[int, str] | None = None  # status, and the Hub's own code

    @classmethod
    def of(cls, folder: Path, **more: bytes) -> Repository:
        return cls({"main": {path.name: path.read_bytes() for path in folder.iterdir()}})

    def offer(self, number: int, author: str, files: dict[str, bytes], parent: str = "main") -> None:
        """A pull request."""
        ref = f"refs/pr/{number}"
        self.revisions[ref], self.parents[ref] = self.revisions["main"] | files, parent
        self.discussions.append(
            {
                "num": number,
                "author": {"name": author},
                "title": "Adding `safetensors` variant of this model",
                "status": "open",
                "isPullRequest": True,
                "createdAt": "2024-01-01T00:00:00.000Z",
                "repo": {"name": "o/n", "type": "model"},
            }
        )


class Handler(BaseHTTPRequestHandler):
    server: HubServer

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.server.requests.append((self.command, path, self.headers.get("Range")))
        parts = path.split("/")
        api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if api else parts[1:3] if parts[0] == "cdn" else parts[:2])
        repository = self.server.repositories.get(name)
        if repository is None or repository.error:
            status, code = repository.error if repository and repository.error else (404, "RepoNotFound")
            self.answer(status, b"{}", {"X-Error-Code": code, "X-Error-Message": "no"})
        elif api:
            self.api(name, repository, parts[4:])
        elif parts[0] == "cdn":
            self.file(repository.revisions, parts[3:])
        else:
            self.resolve(name, repository, parts[3:])

    def api(self, name: str, repository: Repository, rest: list[str]) -> None:
        kind, revision = (rest or ["revision"])[0], "/".join(rest[1:]) or "main"
        found = self.revision(repository.revisions, revision)
        if kind == "discussions":
            found_here = repository.discussions
            self.json({"count": len(found_here), "start": 0, "discussions": found_here})
        elif found is None:
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no"})
        elif kind == "commits":
            ids = [commit_of(found)]
            if found in repository.parents:
                ids.append(commit_of(repository.parents[found]))
            entry = {"title": "", "message": "", "date": "2024-01-01T00:00:00.000Z", "authors": []}
            self.json([{"id": each, **entry} for each in ids])
        else:
            files = repository.revisions[found]
            siblings = [{"rfilename": file, "size": len(data)} for file, data in files.items()]
            self.json(
                {"id": name, "modelId": name, "sha": commit_of(found), "siblings": siblings, "tags": []}
            )

    @staticmethod
    def revision(revisions: dict[str, Any], wanted: str) -> str | None:
        return next((name for name in revisions if wanted in (name, commit_of(name))), None)

    def resolve(self, name: str, repository: Repository, rest: list[str]) -> None:
        *revision, file = rest
        found = self.revision(repository.revisions, "/".join(revision))
        data = repository.revisions[found].get(file) if found else None
        if data is None or found is None:
            code = "EntryNotFound" if found else "RevisionNotFound"
            self.answer(404, b"", {"X-Error-Code": code, "X-Error-Message": "no"})
            return
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        known = {"X-Repo-Commit": commit_of(found), "ETag": etag}
        if file.endswith(LARGE):
            place = f"{self.server.elsewhere}/cdn/{name}/{commit_of(found)}/{file}"
            known |= {"Location": place, "X-Linked-Etag": etag, "X-Linked-Size": str(len(data))}
            self.answer(302, b"", known)
        else:
            self.answer(200, data, known)

    def file(self, revisions: dict[str, dict[str, bytes]], rest: list[str]) -> None:
        found = self.revision(revisions, rest[0])
        assert found
        data = revisions[found][rest[1]]
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        more = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        cut = self.server.cuts.pop(0) if self.server.cuts else None
        self.answer(206 if start else 200, data[start:], more, cut)

    def json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


class HubServer(ThreadingHTTPServer):
    """`repositories` by OWNER/NAME; each of `cuts` ends one transfer of a large file after so many bytes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.cuts: list[int | None] = []
        self.requests: list[tuple[str, str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.elsewhere = f"http://localhost:{self.server_address[1]}"  # another host by its name
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def fetched(self, ending: str) -> list[str]:
        """The paths whose contents were asked for and that end so."""
        return [path for method, path, _ in self.requests if method == "GET" and path.endswith(ending)]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

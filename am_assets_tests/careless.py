"""A store that answers as S3 does and does not keep the conditions of writes, as some gateways; buckets that begin with
`no-` are not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

NO_BUCKET = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"


@contextmanager
def careless_store() -> Iterator[str]:
    """Its address."""
    objects: dict[str, bytes] = {}

    class Answers(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = urlsplit(self.path).path
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = 200, b"<ListBucketResult/>"
            if path.startswith("/no-"):
                status, said = 404, NO_BUCKET
            elif self.command == "PUT":
                objects[path], said = body, b""
            elif self.command == "GET" and path in objects:
                status, said = 206, objects[path]
            elif self.command == "POST":
                said = b"<DeleteResult><Deleted><Key>one</Key></Deleted></DeleteResult>"
            self.send_response(status)
            self.send_header("ETag", f'"{hash(said + body)}"')
            self.send_header("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
            if status == 206:
                self.send_header("Content-Range", f"bytes 0-{len(said) - 1}/{len(said)}")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_PUT = do_POST = answer

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

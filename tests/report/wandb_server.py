"""A stand-in for the server of W&B on the loopback interface: answers, and keeps what it was sent."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ENTITY = "someone"


class Server(ThreadingHTTPServer):
    """Keeps GraphQL operations, streamed rows and uploaded files."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked, self.rows, self.files = [], [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers what the client of W&B asks for."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({})

    def do_PUT(self):
        self.server.files[self.path] = self.body()
        self.answer({})

    def do_POST(self):
        body = self.body()
        content = json.loads(body) if body.startswith(b"{") else {}
        if "file_stream" in self.path:
            self.server.rows.append(content)
            return self.answer({"exitcode": None, "limits": {}})
        query, variables = content.get("query", ""), content.get("variables") or {}
        self.server.asked.append((query, variables))
        return self.answer({"data": self.data(query, variables)})

    def data(self, query, variables):
        name = re.search(r"(?:query|mutation)\s+(\w+)", query)
        operation = name.group(1) if name else ""
        project = {"id": "p", "name": "mtl_bench", "entity": {"id": "e", "name": ENTITY}}
        bucket = {
            **{"id": "b", "name": variables.get("name") or "run", "displayName": "run"},
            **{"description": None, "config": None, "sweepName": None, "historyLineCount": 0},
            "project": project,
        }
        if "upsertBucket" in query:
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if operation == "CreateRunFiles":
            files = [
                {"name": name, "uploadUrl": f"{self.server.url}/put/{name}"}
                for name in variables["files"]
            ]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        if "createArtifact(" in query:
            artifact = {
                "id": "a",
                "digest": "d",
                "state": "COMMITTED",
                "aliases": [],
                "artifactSequence": {"id": "s", "latestArtifact": None},
            }
            return {"createArtifact": {"artifact": artifact}}
        if operation == "ArtifactType":
            return {"project": {"artifact": None}}
        if "upsertView" in query:
            return {
                "upsertView": {
                    "view": {"id": "view", "name": "nw-view", "type": "project-view"},
                    "inserted": True,
                }
            }
        if "viewer" in query:
            return {
                "viewer": {
                    "id": "v",
                    "entity": ENTITY,
                    "username": ENTITY,
                    "flags": "{}",
                    "teams": {"edges": []},
                }
            }
        if "serverInfo" in query:
            return {
                "serverInfo": {"features": [], "cliVersionInfo": {}, "latestLocalVersionInfo": None}
            }
        if "bucket" in query:
            return {"model": {"bucket": None}}
        if "project" in query:
            return {"project": project, "upsertModel": {"project": project, "model": project}}
        return {}

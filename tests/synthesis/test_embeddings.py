"""Knowledge found by meaning: vectors of a server of the OpenAI embeddings protocol, kept from run to run."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.errors import UserError
from synthesis.knowledge import Knowledge, KnowledgeOptions

TOPICS = (("lung", "pulmonary", "chest"), ("bone", "fracture", "skeleton"))


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked += len(body["input"])
        vectors = [
            [float(sum(text.lower().count(word) for word in topic)) for topic in TOPICS] for text in body["input"]
        ]
        data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        reply = json.dumps({"object": "list", "model": body["model"], "data": data[::-1], "usage": usage}).encode()
        self.send_response(200 if body["model"] == "topics" else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)


@pytest.fixture
def embedder():
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.asked = 0
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


def test_the_nearest_snippet_by_meaning(embedder, tmp_path):
    corpus = tmp_path / "texts.txt"
    corpus.write_text("The lung fills most of the chest.\n\nThe skeleton is made of bones.\n")
    url = f"http://127.0.0.1:{embedder.server_address[1]}"
    options = KnowledgeOptions(
        corpus=str(corpus), method="embeddings", top=1, base_url=url, model="topics", cache=str(tmp_path / "vectors")
    )
    assert [one.id for one in Knowledge(options).find("pulmonary nodule")] == ["texts.txt#1"]
    assert embedder.asked == 3
    assert [one.id for one in Knowledge(options).find("fracture")] == ["texts.txt#2"]
    assert embedder.asked == 4, "the corpus is not embedded again"


def test_an_embedder_that_is_not_there_is_said_before_work_starts(embedder, tmp_path):
    corpus = tmp_path / "texts.txt"
    corpus.write_text("The lung fills most of the chest.")
    with pytest.raises(UserError, match="needs base_url and model"):
        Knowledge(KnowledgeOptions(corpus=str(corpus), method="embeddings"))
    url = f"http://127.0.0.1:{embedder.server_address[1]}"
    fields = {"corpus": str(corpus), "method": "embeddings", "model": "other", "cache": str(tmp_path)}
    with pytest.raises(UserError, match="no embeddings from other"):
        Knowledge(KnowledgeOptions(**fields, base_url=url))

"""A client of the live stream: reads Server-Sent Events on a thread of its own."""

import json
import socket
import threading

from client import wait_until
from triggerd_process import API_KEY, ORG


class Message:
    def __init__(self, event, data, position):
        self.event = event
        self.data = data
        self.id = position  # where the client is once it has this message

    @property
    def json(self):
        return json.loads(self.data)

    def __repr__(self):
        return f"<{self.event} {self.id} {self.data[:200]}>"


class LiveClient:
    """Connects at once. `reads=False`: sends the request and never reads the answer."""

    def __init__(self, port, query="", last_id=None, org=ORG, key=API_KEY, reads=True,
                 receive_buffer=None):
        self.messages = []
        self.last_id = last_id
        self.comments = 0
        self.head = None
        self.over = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect(("127.0.0.1", port))
        fields = {"Host": "a", "SlashID-OrgID": org, "SlashID-API-Key": key}
        if last_id is not None:
            fields["Last-Event-ID"] = last_id
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._socket.sendall(
            f"GET /organizations/stream{query} HTTP/1.0\r\n{lines}\r\n".encode())
        self._thread = threading.Thread(target=self._read, daemon=True)
        if reads:
            self.read()

    def read(self):
        """Begins to read."""
        self._thread.start()

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _read(self):
        try:
            with self._socket.makefile("rb") as stream:
                head = []
                while (line := stream.readline().strip()):
                    head.append(line.decode())
                self.head = head
                event, data, position = "", [], None
                while (line := stream.readline()):
                    line = line.decode().rstrip("\r\n")
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if not line:
                        if position is not None:
                            self.last_id = position
                        if data:
                            self.messages.append(Message(event, "\n".join(data), self.last_id))
                        event, data, position = "", [], None
                    elif name == "event":
                        event = value
                    elif name == "data":
                        data.append(value)
                    elif name == "id":
                        position = value
                    elif not name:
                        self.comments += 1
        except (OSError, ValueError):
            pass
        self.over.set()

    def status(self):
        wait_until(lambda: self.head is not None or self.over.is_set(), "an answer")
        return int(self.head[0].split()[1])

    def opened(self):
        """Waits until the stream has begun: what is accepted from now on is told."""
        assert self.status() == 200, self.head
        wait_until(lambda: self.last_id is not None, "the first position")
        return self

    def of(self, event):
        return [message for message in list(self.messages) if message.event == event]

    def event_ids(self):
        return [message.json["event_id"] for message in self.of("event")]

    def wait_events(self, count, seconds=60):
        return wait_until(lambda: len(self.of("event")) >= count and self.event_ids(),
                          f"{count} events", seconds)

"""Load for the crash tests: producer threads, and five webhooks of different manners.

Producers post batches with event ids of their own and never repeat one, so that every answer (or
the lack of one) can be held against what the receivers got.
"""

import threading
import time
import uuid

from client import AnswerLost, Client, NotSent, wait_until
from history import Producers
from receivers import Reply

EVENT = "PersonCreated_v1"
RARE_EVENT = "PersonDeleted_v1"  # two of the five webhooks want it
PATHS = ("/ok-1", "/ok-2", "/ok-3", "/slow", "/fails-first")
RARE_PATHS = ("/ok-1", "/slow")
SLOW_SECONDS = 0.05
OUTSTANDING_MAX = 1500  # deliveries; producers wait above it, so that a drain stays short


class Load:
    def __init__(self, receiver, threads, pause=0.03):
        self.receiver = receiver
        self.producers = Producers()
        self.port = None
        self._names = {}  # event id → event name
        self._lock = threading.Lock()
        self._failed_once = set()
        self._ended = threading.Event()
        self._running = threading.Event()
        self._idle = threading.Condition(self._lock)
        self._busy = 0
        self._pause = pause
        self._crash = None
        self._expected = set()  # (event id, path) of accepted events
        self._delivered = set()  # the same of calls with a 2xx
        for path in PATHS:
            receiver.on(path, self._decide)
        self._threads = [threading.Thread(target=self._produce, args=(number,), daemon=True)
                         for number in range(threads)]

    def _decide(self, call):
        pair = (call.event_id, call.path)
        call.shrink()
        with self._lock:
            if call.path == "/fails-first" and call.event_id not in self._failed_once:
                self._failed_once.add(call.event_id)
                return 500
            self._delivered.add(pair)
        return Reply(200, delay=SLOW_SECONDS if call.path == "/slow" else 0)

    def register(self, client):
        for path in PATHS:
            triggers = [EVENT, RARE_EVENT] if path in RARE_PATHS else [EVENT]
            client.create_webhook(self.receiver.url(path), triggers)

    def paths_of(self, event_id):
        return PATHS if self._names[event_id] == EVENT else RARE_PATHS

    def begin(self):
        for thread in self._threads:
            thread.start()

    def resume(self, port):
        """Posts go to this port from now on."""
        self.port = port
        self._running.set()

    def pause(self):
        """Returns when no post is under way; the server may be gone already."""
        self._running.clear()
        with self._idle:
            if not self._idle.wait_for(lambda: self._busy == 0, timeout=90):
                raise AssertionError("a producer hangs")

    def end(self):
        self._ended.set()
        self._running.set()
        for thread in self._threads:
            thread.join(90)
        if self._crash:
            raise AssertionError(f"a producer crashed: {self._crash!r}")

    def outstanding(self):
        """Deliveries that were accepted and that nobody has answered 2xx yet, about."""
        with self._lock:
            return len(self._expected) - len(self._delivered)

    def missing(self):
        with self._lock:
            return self._expected - self._delivered

    def drain(self, seconds):
        """Waits until nothing accepted is missing and the receivers are quiet, within a bound."""
        wait_until(lambda: time.sleep(0.2) or not self.missing(), "the backlog to be delivered",
                   seconds)
        self.quiet(seconds)

    def quiet(self, seconds, silence=1.5):
        """Waits until no call has come in for longer than the longest pause of the schedule."""
        end = time.monotonic() + seconds
        count, since = self.receiver.count(), time.monotonic()
        while time.monotonic() - since < silence and time.monotonic() < end:
            time.sleep(0.05)
            if self.receiver.count() != count:
                count, since = self.receiver.count(), time.monotonic()

    # --- The producers ---

    def _produce(self, number):
        client = Client(0)
        try:
            round_number = 0
            while not self._ended.is_set():
                self._running.wait()
                with self._lock:
                    if not self._running.is_set() or self._ended.is_set():
                        continue
                    self._busy += 1
                try:
                    if client.port != self.port:
                        client.close()
                        client = Client(self.port)
                    self._post(client, 1 + (number + round_number) % 4, round_number)
                    round_number += 1
                finally:
                    with self._idle:
                        self._busy -= 1
                        self._idle.notify_all()
                time.sleep(self._pause)
                while (self._running.is_set() and not self._ended.is_set()
                       and self.outstanding() > OUTSTANDING_MAX):
                    time.sleep(0.1)
        except Exception as error:  # pylint: disable=broad-except
            self._crash = error
        finally:
            client.close()

    def _post(self, client, size, round_number):
        batch = []
        for index in range(size):
            event_id = str(uuid.uuid4())
            name = RARE_EVENT if (round_number + index) % 5 == 0 else EVENT
            batch.append({"event_name": name, "event_id": event_id,
                          "content": {"person_id": event_id, "n": round_number}})
        with self._lock:
            self.producers.post(batch)
            self._names.update((event["event_id"], event["event_name"]) for event in batch)
        try:
            status = client.post("/organizations/events", batch).status
        except AnswerLost:
            status = None
        except NotSent:
            status = 0  # nobody saw it: as good as refused
        with self._lock:
            self.producers.answered(batch, status)
            if status == 202:
                self._expected |= {(event["event_id"], path) for event in batch
                                   for path in self.paths_of(event["event_id"])}
        if status not in (202, None):
            time.sleep(0.02)

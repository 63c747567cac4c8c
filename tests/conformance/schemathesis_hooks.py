"""What the document says in words alone, for Schemathesis: formats, and what depends on state.

Only requests that are to be accepted are changed (`before_call` leaves all others as they are), and
each change says why a schema cannot say it.
"""

import datetime
import itertools
import json
import os

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import EnsureResourceAvailability

NAMES = ("PersonCreated_v1", "PersonDeleted_v1", "AuthenticationFailed_v1",
         "RoleCreated_InRegion_v1", "SlashIDSDKLoaded_v1", "TokenMinted_v1")
REFUSED_HEADERS = ("connection content-encoding content-length content-type expect host keep-alive "
                   "te traceparent trailer upgrade transfer-encoding user-agent").split()
UNKNOWN = "01890000-0000-7000-8000-000000000000"

# --- Formats ---

# The number makes nearly every URL a new one: a second webhook of one URL is 409.
schemathesis.openapi.format("target-url", st.builds(
    lambda number, end: f"https://hooks{number}.example{end}", st.integers(0, 10**9),
    st.sampled_from(("", "/", "/a", ":443/a", ":1024/", ":65535", "/a/b.c/~d/", "/%7Ea"))))
schemathesis.openapi.format("go-duration", st.sampled_from(
    ("0", "0s", "1ns", "1us", "1µs", "1.5ms", ".5s", "1.s", "+2s", "10s", "0.1m", "20s")))
# Wall time is 64 bits of nanoseconds: years before 1970 and after 2261 are refused.
_times = st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2260, 1, 1))
schemathesis.openapi.format("date-time", _times.map(lambda time: time.isoformat() + "Z"))
schemathesis.openapi.format("event-name", st.sampled_from(NAMES))
schemathesis.openapi.format("cidr", st.sampled_from(
    ("10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "2001:db8::/32", "::/0")))


# --- Streams: the document has a text, and says what a line of it is ---

@schemathesis.serializer("application/x-ndjson")
def lines_of(_context, value):
    events = value if isinstance(value, list) else [value]
    return "".join(json.dumps(event) + "\n" for event in events).encode()


@schemathesis.deserializer("application/x-ndjson")
def text_of_stream(_context, response):
    return response.content.decode()


@schemathesis.hook
def before_load_schema(_context, document):
    publish = document["paths"]["/organizations/events"]["post"]
    # Its answer has no end. test_live_stream.py reads it.
    del document["paths"]["/organizations/stream"]
    stream = publish["requestBody"]["content"]["application/x-ndjson"]
    stream["schema"] = {"type": "array", "items": stream["schema"]["x-itemSchema"]}
    del stream["examples"]  # texts, which test_openapi.py sends
    # Attributes in headers make the body the data, which one schema for both cannot say. Binary
    # CloudEvents are sent by test_openapi.py and test_publish_formats.py.
    publish["parameters"] = [one for one in publish["parameters"] if "/Ce" not in one.get("$ref", "")]
    # A cursor is made by the server, for one query, and `until` lies behind `since`: which no
    # schema can say. test_delivery_log.py sends both, good and bad.
    for item in document["paths"].values():
        listed = item.get("get", {})
        if "parameters" in listed:
            listed["parameters"] = [one for one in listed["parameters"]
                                    if not one.get("$ref", "").endswith(("/PageCursor", "/UntilFilter"))]
    schemas = document["components"]["schemas"]
    # Texts of a format are filtered by their length, which takes half a minute for one of 2048
    # bytes. test_golden_vectors.py sends them.
    for limit in ("minLength", "maxLength"):
        del schemas["TargetUrl"][limit]
    _flatten(schemas)


def _flatten(schemas):
    """Two schemas contain themselves, in many branches: what can be made of them is too large, and
    takes minutes. They get one level here; tests/api/routes/json_schema_test.cc and
    tests/data/filters.txt look at the rest."""
    content = schemas["ContentSchema"]
    kept = ("type", "enum", "required", "minimum", "maxLength", "exclusiveMinimum", "title")
    content["properties"] = {name: content["properties"][name] for name in kept}
    fields = schemas["Filter"]
    del fields["properties"]
    (pattern,) = fields["patternProperties"]
    tests = fields["patternProperties"][pattern]["anyOf"][1]
    fields["patternProperties"] = {"^[a-z_]{1,8}$": tests}
    fields["additionalProperties"] = tests  # any other name is as good


# --- State ---

_number = itertools.count()


def _is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


def _operation(case):
    return case.operation.definition.raw.get("operationId")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    name = _operation(case)
    parameters = case.path_parameters or {}
    # The organization that all requests are made for must stay.
    if name in ("deleteOrganization", "deleteApiKey") and \
            parameters.get("organization_id") == os.environ["TRIGGERD_TEST_ORG"]:
        parameters["organization_id"] = UNKNOWN
    if name in ("putEventType", "deleteEventType") and parameters.get("name"):
        _keep_names_apart(parameters)
    if not _is_positive(case):
        return
    if name in ("createWebhook", "updateWebhook") and isinstance(case.body, dict):
        _mend_headers(case.body.get("custom_headers"))
    if name == "deleteTrigger" and case.query:
        _mend_trigger(case.query)
    if name == "sendTestEvents" and isinstance(case.body, list):
        _mend_counts(case.body)
    if name == "putEventType" and isinstance(case.body, dict):
        _mend_content_schema(case.body.get("schema"))
    if name == "recover" and isinstance(case.body, dict):
        # `since` lies before `until`, which is now when it is left out.
        case.body["since"] = "2020-01-01T00:00:00Z"
        if "until" in case.body:
            case.body["until"] = "2021-01-01T00:00:00Z"
    if name not in ("putEventType", "deleteEventType", "getEventType"):
        _mend_names(case.body)
    case.body = _mend_numbers(case.body)


def _keep_names_apart(parameters):
    """A schema of one request would refuse the contents of the next: types that get one have names
    that nothing is published under."""
    if parameters["name"].endswith("_v1"):
        parameters["name"] = f"Fuzzed_v{next(_number) % 50}"


def _mend_names(value):
    """Whether a name is of the catalogue depends on what was put there and deleted."""
    if isinstance(value, list):
        for one in value:
            _mend_names(one)
    if not isinstance(value, dict):
        return
    for member, of_event in (("event_name", True), ("type", "specversion" in value),
                             ("trigger_name", value.get("trigger_type") == "event")):
        if of_event and isinstance(value.get(member), str) and value[member] not in NAMES:
            value[member] = NAMES[0]
    for one in value.get("events") or ():
        _mend_names(one)


def _mend_content_schema(schema):
    """Content schemas are of draft 4, to which 8.0 is no integer; to the document it is one."""
    if isinstance(schema, dict) and isinstance(schema.get("maxLength"), float):
        schema["maxLength"] = 8


def _mend_trigger(query):
    """A query is no object with a discriminator: what name fits depends on the type."""
    if query.get("trigger_type") == "sync_hook":
        query["trigger_name"] = "token_minted"
    elif query.get("trigger_name") not in NAMES:
        query["trigger_name"] = NAMES[0]


def _mend_counts(specifications):
    """At most 500 in all, a sum that a schema cannot make."""
    if sum(one.get("count", 1) for one in specifications) > 500:
        for one in specifications:
            one["count"] = 1


def _mend_numbers(value):
    """Integers beyond 64 bits are refused anywhere; a schema has no word for that."""
    if isinstance(value, dict):
        return {name: _mend_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_mend_numbers(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -2**63 <= value < 2**64:
        return 7
    return value


def _mend_headers(headers):
    """Names of headers are the same in either case, and some are the engine's."""
    seen = set()
    for name in list(headers or ()):
        lower = name.lower()
        if lower in seen or lower in REFUSED_HEADERS or lower.startswith(("proxy-", "webhook-")):
            del headers[name]
        seen.add(lower)


@schemathesis.hook
def filter_failure(_context, failure, case, _response):
    if isinstance(failure, EnsureResourceAvailability):
        # A new webhook has neither a trigger to test nor a secret to show: 404 is about these.
        return _operation(case) not in ("testTrigger", "getSecret")
    if not isinstance(failure, AcceptedNegativeData):
        return True
    # Each line of a stream is answered by itself under one 200: a bad line is no bad request.
    if case.media_type == "application/x-ndjson":
        return False
    # A header that is not known is no fault of a request (RFC 9110, 5.1).
    return "x-schemathesis-unknown-property" not in (case.headers or ())

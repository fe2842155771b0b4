"""What other programs say of exchanges: httplint of heads, httpx-sse of framing, typed classes of events.

    judges.py <EXCHANGES     one JSON object a line, bytes in base64: name, response, stream (a body of events), events
                             (JSON texts), dialect, streamed

Prints one JSON object a line: name, judge, and `objections` (heads, classes) or `events` (framing).
"""

import base64
import json
import sys


def httplint_of(case):
    from httplint.cli.http_parser import HttpCliParser, modes
    from httplint.note import levels

    class Quiet(HttpCliParser):
        found = ()

        def input_end(self, trailers):
            self.linter.finish_content(True, trailers)
            self.found = sorted({type(note).__name__ for note in self.linter.notes if note.level == levels.BAD})

        def input_error(self, err, close=True):
            self.failed = True
            self.found = [f"{err.desc}"]

    class Arguments:
        mode = modes.RESPONSE

    parser = Quiet(Arguments)
    try:
        parser.handle_input(base64.b64decode(case["response"]))
    except ValueError:
        parser.found = parser.found or ["the head cannot be read"]
    return {"objections": list(parser.found)}


def httpx_sse_of(case):
    from httpx_sse._decoders import SSEDecoder, SSELineDecoder

    # As the text of a response comes to it: decoded by httpx, bad bytes replaced.
    text = base64.b64decode(case["stream"]).decode("utf-8", "replace")
    lines, decoder, events = SSELineDecoder(), SSEDecoder(), []
    for line in lines.decode(text) if text else []:
        event = decoder.decode(line.rstrip("\n"))
        if event is not None:
            events.append(["" if event.event == "message" else event.event, event.data])
    return {"events": events}


def by_type(union):
    """The class of each value of `type` in a union of classes."""
    from enum import Enum
    from typing import Annotated, get_args, get_origin

    if get_origin(union) is Annotated:
        union = get_args(union)[0]
    classes = {}
    for kind in get_args(union):
        word = kind.model_fields["type"].annotation
        for value in get_args(word) or [one.value for one in word if issubclass(word, Enum)]:
            classes[value] = kind
    return classes


def classes(case):
    """Who wrote the typed classes of a dialect, and a function from an event, or a whole answer, to its class."""
    dialect, streamed = case["dialect"], case["streamed"]
    if dialect in ("openai-chat", "azure-openai"):
        from openai.types import Completion
        from openai.types.chat import ChatCompletion, ChatCompletionChunk

        chat = ChatCompletionChunk if streamed else ChatCompletion
        yield "openai", lambda value: Completion if value.get("object") == "text_completion" else chat
    if dialect == "openai-responses":
        from typing import Union

        from openai.types.responses import Response, ResponseStreamEvent
        import openresponses_types as spec

        kinds = tuple(kind for name, kind in vars(spec).items() if name.endswith("StreamingEvent"))
        for judge, events, whole in (
            ("openai", by_type(ResponseStreamEvent), Response),
            ("openresponses-types", by_type(Union[kinds]), spec.ResponseResource),
        ):
            yield judge, lambda value, events=events, whole=whole: events.get(value.get("type")) if streamed else whole
    if dialect == "anthropic-messages":
        from anthropic.types import Message, RawMessageStreamEvent

        events = by_type(RawMessageStreamEvent)
        yield "anthropic", lambda value: events.get(value.get("type")) if streamed else Message


def objections(class_of, events):
    from pydantic import ValidationError

    found = set()
    for text in events:
        try:
            value = json.loads(text)
        except ValueError:
            found.add("not JSON")
            continue
        # An SDK takes errors and keep-alive events out before it reads the classes.
        if value.get("error") or value.get("type") in ("ping", "error"):
            continue
        kind = class_of(value)
        if kind is None:
            found.add(f"no class for {value.get('type')}")
            continue
        try:
            kind.model_validate(value)
        except ValidationError as error:
            one = error.errors()[0]
            found.add(f"{kind.__name__} " + ".".join(str(step) for step in one["loc"]) + ": " + one["type"])
    return sorted(found)[:3]


def main():
    for line in sys.stdin:
        case = json.loads(line)
        answers = [("httplint", httplint_of(case))]
        if case["stream"] is not None:
            answers.append(("httpx-sse", httpx_sse_of(case)))
        if case["events"] is not None:
            for judge, class_of in classes(case):
                answers.append((judge, {"objections": objections(class_of, case["events"])}))
        for judge, answer in answers:
            print(json.dumps({"name": case["name"], "judge": judge, **answer}))


main()

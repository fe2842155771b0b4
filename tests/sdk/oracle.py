"""One call of an official SDK against a server on loopback; prints what the SDK returns, as JSON.

    oracle.py CASE BASE_URL

The test that calls it compares that with what `wire` says of the same bytes.
"""

import json
import sys

KEY = "sk-test-0123456789abcdef"
QUESTION = "What is the weather in Köln? Say it in one sentence, 🌧 or not."
MESSAGES = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": QUESTION}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
    "required": ["city"],
}
CHAT_TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Now.", "parameters": SCHEMA}}]
RESPONSES_TOOLS = [{"type": "function", "name": "get_weather", "description": "Now.", "parameters": SCHEMA, "strict": False}]
MESSAGES_TOOLS = [{"name": "get_weather", "description": "Now.", "input_schema": SCHEMA}]


def openai(base):
    from openai import OpenAI

    return OpenAI(api_key=KEY, base_url=base + "/v1", max_retries=0)


def anthropic(base):
    from anthropic import Anthropic

    return Anthropic(api_key=KEY, base_url=base, max_retries=0)


def call(name, arguments, id):
    return {"name": name, "arguments": arguments, "id": id}


def of_chat(completion):
    usage = completion.usage
    return {
        "id": completion.id,
        "model": completion.model,
        "choices": [
            {
                "text": choice.message.content or "",
                "finish": choice.finish_reason,
                "tools": [
                    call(tool.function.name, tool.function.arguments, tool.id)
                    for tool in choice.message.tool_calls or []
                ],
            }
            for choice in completion.choices
        ],
        "usage": usage and {
            "input": usage.prompt_tokens,
            "output": usage.completion_tokens,
            "cached": usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens,
        },
    }


def chat_plain(base, **more):
    return of_chat(openai(base).chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **more))


def chat_stream(base, **more):
    with openai(base).chat.completions.stream(
        model="gpt-4o-mini", messages=MESSAGES, stream_options={"include_usage": True}, **more
    ) as stream:
        for _ in stream:
            pass
        return of_chat(stream.get_final_completion())


def of_response(response):
    texts, tools = [], []
    for item in response.output:
        if item.type == "message":
            texts += [part.text for part in item.content if part.type == "output_text"]
        if item.type == "function_call":
            tools.append(call(item.name, item.arguments, item.call_id))
    return {
        "id": response.id,
        "model": response.model,
        "choices": [{"text": "".join(texts), "finish": None, "tools": tools}],
        "usage": {
            "input": response.usage.input_tokens,
            "output": response.usage.output_tokens,
            "cached": response.usage.input_tokens_details.cached_tokens,
        },
    }


def responses_plain(base, **more):
    return of_response(openai(base).responses.create(model="gpt-4o-mini", input=MESSAGES, **more))


def responses_stream(base, **more):
    with openai(base).responses.stream(model="gpt-4o-mini", input=MESSAGES, **more) as stream:
        for _ in stream:
            pass
        return of_response(stream.get_final_response())


def of_message(message):
    usage = message.usage
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return {
        "id": message.id,
        "model": message.model,
        "choices": [
            {
                "text": "".join(block.text for block in message.content if block.type == "text"),
                "finish": message.stop_reason,
                "tools": [
                    call(block.name, block.input, block.id) for block in message.content if block.type == "tool_use"
                ],
            }
        ],
        # Anthropic counts cached tokens beside the others.
        "usage": {"input": usage.input_tokens + cached + written, "output": usage.output_tokens, "cached": cached},
    }


ASKED = {"model": "claude-sonnet-4-5", "max_tokens": 256, "system": "You are brief.", "messages": MESSAGES[1:]}


def messages_plain(base, **more):
    return of_message(anthropic(base).messages.create(**ASKED, **more))


def messages_stream(base, **more):
    with anthropic(base).messages.stream(**ASKED, **more) as stream:
        for _ in stream:
            pass
        return of_message(stream.get_final_message())


CASES = {
    "chat-plain": chat_plain,
    "chat-plain-two": lambda base: chat_plain(base, n=2),
    "chat-plain-tools": lambda base: chat_plain(base, tools=CHAT_TOOLS),
    "chat-stream": chat_stream,
    "chat-stream-tools": lambda base: chat_stream(base, tools=CHAT_TOOLS),
    "responses-plain": responses_plain,
    "responses-plain-tools": lambda base: responses_plain(base, tools=RESPONSES_TOOLS),
    "responses-stream": responses_stream,
    "responses-stream-tools": lambda base: responses_stream(base, tools=RESPONSES_TOOLS),
    "messages-plain": messages_plain,
    "messages-plain-tools": lambda base: messages_plain(base, tools=MESSAGES_TOOLS),
    "messages-stream": messages_stream,
    "messages-stream-tools": lambda base: messages_stream(base, tools=MESSAGES_TOOLS),
}

if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[1]](sys.argv[2])))

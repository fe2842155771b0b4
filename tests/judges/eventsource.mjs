// What eventsource-parser makes of streams. Lines of JSON in (name, stream in base64) and out (name, judge, events).
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { createParser } = createRequire(process.argv[2] + "/")("eventsource-parser");

for await (const line of createInterface({ input: process.stdin })) {
  const { name, stream } = JSON.parse(line);
  if (stream === null) continue;
  const events = [];
  const parser = createParser({ onEvent: (event) => events.push([event.event === "message" ? "" : (event.event ?? ""), event.data]), onError() {} });
  // The standard's decoder of a stream: it takes a byte order mark away and replaces bad bytes.
  parser.feed(new TextDecoder().decode(Buffer.from(stream, "base64")));
  console.log(JSON.stringify({ name, judge: "eventsource-parser", events }));
}

import type { InferBody } from './request.js';

/** A request as a program, ready to run. */
export interface Snippet {
  readonly language: string;
  readonly text: string;
}

/** A request and where it goes. */
export interface Target {
  /** Address of the gateway. */
  readonly origin: string;
  /** Path of the request on the gateway. */
  readonly path: string;
  readonly model: string;
  readonly brokers: readonly string[];
  readonly prefix: string;
  /** True if the gateway needs a credential, which programs take from the environment. */
  readonly isSecured: boolean;
}

/** Environment variable with the API key or token. */
const KEY_VARIABLE = 'PARTITURA_API_KEY';

/** Characters of JSON above which snippets read the request from a file. */
const MAX_INLINE = 4_096;
export const REQUEST_FILE = 'request.json';

/** Returns true if the request is too long for a snippet and has to be downloaded. */
export function needsFile(body: InferBody): boolean {
  return JSON.stringify(body).length > MAX_INLINE;
}

/** Writes the request in each language. */
export function snippetsOf(body: InferBody, target: Target): Snippet[] {
  const json = JSON.stringify(body);
  const file = needsFile(body);
  return [
    { language: 'curl', text: curl(target, file ? undefined : json) },
    { language: 'Python', text: python(target, file ? undefined : json) },
    { language: 'JavaScript', text: javaScript(target, file ? undefined : json) },
    { language: 'Java', text: java(target, file ? undefined : json) },
    { language: 'kcat', text: kcat(target, file ? undefined : json) },
  ];
}

function curl({ origin, path, isSecured }: Target, json: string | undefined): string {
  const data = json === undefined ? `--data-binary @${REQUEST_FILE}` : `-d ${shellQuoted(json)}`;
  const credential = isSecured ? `\n  -H "authorization: Bearer $${KEY_VARIABLE}" \\` : '';
  return `curl -s ${origin}${path} \\${credential}\n  -H 'content-type: application/json' \\\n  ${data}`;
}

function python({ origin, path, isSecured }: Target, json: string | undefined): string {
  const body =
    json === undefined
      ? `open("${REQUEST_FILE}", "rb").read()`
      : `json.dumps(${pythonLiteral(json)}).encode()`;
  const credential = isSecured ? `, "authorization": "Bearer " + os.environ["${KEY_VARIABLE}"]` : '';
  return `import json
${isSecured ? 'import os\n' : ''}import urllib.request

body = ${body}
request = urllib.request.Request(
    "${origin}${path}",
    data=body,
    headers={"content-type": "application/json"${credential}},
)
with urllib.request.urlopen(request) as response:
    for output in json.load(response)["outputs"]:
        print(output["name"], output["shape"], output["data"])`;
}

function javaScript({ origin, path, isSecured }: Target, json: string | undefined): string {
  const body =
    json === undefined
      ? `await (await import('node:fs/promises')).readFile('${REQUEST_FILE}')`
      : `JSON.stringify(${json})`;
  const credential = isSecured ? `, authorization: \`Bearer \${process.env.${KEY_VARIABLE}}\`` : '';
  return `const response = await fetch('${origin}${path}', {
  method: 'POST',
  headers: { 'content-type': 'application/json'${credential} },
  body: ${body},
});
const { outputs, error } = await response.json();
if (error) throw new Error(error);
for (const { name, shape, data } of outputs) console.log(name, shape, data);`;
}

function java({ origin, path, isSecured }: Target, json: string | undefined): string {
  const body =
    json === undefined
      ? `BodyPublishers.ofFile(Path.of("${REQUEST_FILE}"))`
      : `BodyPublishers.ofString(\n                ${javaLiteral(json)})`;
  const credential = isSecured
    ? `\n            .header("authorization", "Bearer " + System.getenv("${KEY_VARIABLE}"))`
    : '';
  return `import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;

public class Predict {
    public static void main(String[] arguments) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("${origin}${path}"))
            .header("content-type", "application/json")${credential}
            .POST(${body})
            .build();
        var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        System.out.println(response.body());
    }
}`;
}

function kcat({ model, brokers, prefix }: Target, json: string | undefined): string {
  const input = json === undefined ? `cat ${REQUEST_FILE}` : `printf '%s' ${shellQuoted(json)}`;
  return `brokers=${brokers.join(',')}
id=kcat-$(date +%s)-$$
${input} | kcat -P -b $brokers -t ${prefix}.${model}.requests \\
  -H correlation-id=$id -H reply-to=${prefix}.${model}.replies
for attempt in $(seq 60); do
  kcat -C -q -e -b $brokers -t ${prefix}.${model}.replies -o -100 -f '%h %s\\n' |
    grep -aF "correlation-id=$id" && break
  sleep 0.5
done`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Rewrites JSON as Python, which has other words for true and false. */
function pythonLiteral(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\b(true|false|null)\b/g, (token: string) => PYTHON[token] ?? token);
}

const PYTHON: Readonly<Record<string, string>> = { true: 'True', false: 'False', null: 'None' };
/** Characters of a Java string constant are limited to 65,535 bytes, and lines should be readable. */
const JAVA_LINE = 90;

function javaLiteral(json: string): string {
  const parts = json.match(new RegExp(`[^]{1,${JAVA_LINE}}`, 'g')) ?? [json];
  return parts.map((part) => JSON.stringify(part)).join('\n                + ');
}

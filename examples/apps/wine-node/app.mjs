// Web application that names the cultivar of a wine: a form with its 13 measurements, and a resource for programs.
import { createServer } from 'node:http';

const GATEWAY = process.env.PARTITURA_GATEWAY ?? 'http://127.0.0.1:8080';
const MAX_CHARACTERS = 16_384;
const CULTIVARS = ['first', 'second', 'third'];
/** Measurements with the mean and the deviation by which the model expects them scaled, and the value in the form. */
const FIELDS = [
  ['alcohol', 13.04, 0.7948, 14.23],
  ['malic_acid', 2.343, 1.129, 1.71],
  ['ash', 2.378, 0.2739, 2.43],
  ['alcalinity_of_ash', 19.57, 3.484, 15.6],
  ['magnesium', 98.61, 13.52, 127],
  ['total_phenols', 2.303, 0.6182, 2.8],
  ['flavanoids', 2.03, 0.9993, 3.06],
  ['nonflavanoid_phenols', 0.3592, 0.1214, 0.28],
  ['proanthocyanins', 1.566, 0.5327, 2.29],
  ['color_intensity', 5.085, 2.378, 5.64],
  ['hue', 0.9515, 0.217, 1.04],
  ['od280_od315', 2.621, 0.6962, 3.92],
  ['proline', 742.9, 314.1, 1065],
];

const INPUTS = FIELDS.map(
  ([name, , , example]) =>
    `<p><label>${name} <input name="${name}" type="number" step="any" required value="${example}"></label></p>`,
);
const page = (result) => `<!doctype html><title>Wines</title><h1>Which cultivar?</h1><p>${result}</p>
<form method="post" action="/wine">${INPUTS.join('')}<button>Ask</button></form>`;

/** Asks the gateway; its answer to a wrong request is one sentence in `error`. */
async function classify(wine) {
  const measurements = FIELDS.map(([name, mean, deviation]) => {
    const value = Number(wine[name] ?? NaN);
    if (Number.isFinite(value)) return (value - mean) / deviation;
    throw Object.assign(new Error(`${name}: expected a number, got ${JSON.stringify(wine[name])}`), {
      status: 400,
    });
  });
  const response = await fetch(`${GATEWAY}/v2/models/wine/infer`, {
    method: 'POST',
    body: JSON.stringify({
      inputs: [{ name: 'measurements', datatype: 'FP32', shape: [1, FIELDS.length], data: measurements }],
    }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status });
  const { data } = answer.outputs[0];
  const probability = Math.max(...data);
  return { cultivar: CULTIVARS[data.indexOf(probability)], probability };
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_CHARACTERS) throw Object.assign(new Error('body: too large'), { status: 413 });
  }
  return request.headers['content-type'] === 'application/json'
    ? JSON.parse(text)
    : Object.fromEntries(new URLSearchParams(text));
}

const server = createServer(async (request, response) => {
  const wantsJson = request.headers['content-type'] === 'application/json';
  const send = (status, result, text) =>
    response
      .writeHead(status, { 'content-type': wantsJson ? 'application/json' : 'text/html; charset=utf-8' })
      .end(wantsJson ? JSON.stringify(result) : page(text));
  try {
    if (request.method !== 'POST') return send(200, {}, '');
    const { cultivar, probability } = await classify(await bodyOf(request));
    return send(200, { cultivar, probability }, `The ${cultivar} (${(probability * 100).toFixed(1)} %)`);
  } catch (error) {
    return send(error.status ?? 502, { error: error.message }, error.message.replaceAll('<', '&lt;'));
  }
});
const port = Number(process.argv[2] ?? 5001);
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

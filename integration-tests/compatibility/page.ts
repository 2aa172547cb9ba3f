import { onnxReason } from '../../consumers/engine/thread/onnx/reason.js';
import type { Judged, Verdict } from './judged.js';

const MEANINGS: readonly (readonly [Verdict, string])[] = [
  ['served', 'served, with the answer of ONNX Runtime'],
  ['refused-at-load', 'refused when loaded'],
  ['refused-at-request', 'refused at each request'],
  ['wrong', 'answered with other values'],
  ['unanswered', 'not answered'],
  ['no-reference', 'not answered by ONNX Runtime either, or of a type that requests lack'],
];
/** Names of models beside a reason. */
const EXAMPLES = 3;
const REASON_LENGTH = 160;

/** Renders docs/COMPATIBILITY.md. */
export function renderPage(judged: readonly Judged[], deaths: number): string {
  const of = (verdict: Verdict): Judged[] => judged.filter((one) => one.verdict === verdict);
  return `# Compatibility

Made by \`npm run test:long -- models\`; do not edit.

The ONNX project's own backend tests (PyPI \`onnx\` and \`onnxruntime\`, versions in
\`integration-tests/compatibility/requirements.txt\`), each served by a node and asked through Kafka what ONNX Runtime was asked
in Python. Their shapes are fixed, so that requests never share a batch. Nodes that died: ${deaths}.

| models | outcome |
|---|---|
${MEANINGS.map(([verdict, meaning]) => `| ${of(verdict).length} | ${meaning} |`).join('\n')}
| ${judged.length} | in all |
${MEANINGS.filter(([verdict]) => verdict !== 'served' && of(verdict).length > 0)
  .map(([verdict, meaning]) => section(meaning, of(verdict)))
  .join('')}`;
}

function section(meaning: string, judged: readonly Judged[]): string {
  const byReason = new Map<string, string[]>();
  for (const { model, reason } of judged) {
    const words = general(reason ?? '');
    byReason.set(words, [...(byReason.get(words) ?? []), model]);
  }
  const rows = [...byReason].sort(([, a], [, b]) => b.length - a.length);
  return `
## ${meaning[0]?.toUpperCase()}${meaning.slice(1)}

| models | reason | among them |
|---|---|---|
${rows.map(([reason, models]) => `| ${models.length} | ${cell(reason)} | ${models.slice(0, EXAMPLES).join(', ')} |`).join('\n')}
`;
}

/** Leaves out what differs from model to model: names, versions, places in the sources of a runtime. */
function general(reason: string): string {
  return onnxReason(reason.replace(/^\[ONNXRuntimeError\] : \d+ : /, ''))
    .replace(/^model '[^']*' version \d+: /, '')
    .replace(/^.*onnxruntime_src\S* .*?\) (?=[A-Z])/s, '')
    .replace(/^FAIL : /, '')
    .replace(/node with name '[^']*'/g, 'a node')
    .replace(/'[^']*'/g, "'…'")
    .slice(0, REASON_LENGTH);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ').trim();
}

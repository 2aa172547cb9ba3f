// Compiles the modules of a TypeScript program; each part takes its share of them.
//   partitura job submit typescript --set parts=4 --inputs modules.json
// Inputs of the job: `sources`, BYTES [n]. Output: `modules`, BYTES [n], in the same order.
import ts from 'typescript';

export const inputs = [
  { name: 'part', datatype: 'BYTES', shape: [1] },
  { name: 'sources', datatype: 'BYTES', shape: [-1] },
];
export const outputs = [{ name: 'modules', datatype: 'BYTES', shape: [-1] }];

const OPTIONS = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };

export function run({ part, sources }) {
  const { index, parts } = JSON.parse(part.data[0]);
  const begin = Math.floor((index * sources.data.length) / parts);
  const end = Math.floor(((index + 1) * sources.data.length) / parts);
  const data = sources.data
    .slice(begin, end)
    .map((source, offset) => compile(source.toString(), begin + offset));
  return { modules: { shape: [data.length], data } };
}

function compile(source, number) {
  const { outputText, diagnostics } = ts.transpileModule(source, {
    compilerOptions: OPTIONS,
    reportDiagnostics: true,
  });
  const [problem] = diagnostics ?? [];
  if (!problem) return outputText;
  throw new Error(`source ${number}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`);
}

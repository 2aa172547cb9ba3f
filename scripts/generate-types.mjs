// Generates schemas/generated.ts from schemas/*.avsc; `--check` only compares. The .avsc files are the source of truth.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../schemas/', import.meta.url);
/** In dependency order: a schema may refer to earlier ones. */
const names = ['Tensor', 'InferenceRequest', 'InferenceError', 'Timing', 'InferenceReply', 'NodeStatus'];
const schemas = names.map((name) => JSON.parse(readFileSync(new URL(`${name}.avsc`, root), 'utf8')));

const primitives = {
  string: 'string',
  long: 'number',
  int: 'number',
  double: 'number',
  float: 'number',
  boolean: 'boolean',
  bytes: 'Buffer',
  null: 'null',
};
const declarations = [];

function typeOf(schema) {
  if (Array.isArray(schema)) return schema.map(typeOf).reverse().join(' | ');
  if (typeof schema === 'string') return primitives[schema] ?? schema.split('.').at(-1);
  if (schema.type === 'array') return `${typeOf(schema.items)}[]`;
  if (schema.type === 'map') return `Record<string, ${typeOf(schema.values)}>`;
  if (schema.type === 'enum') return schema.symbols.map((symbol) => `'${symbol}'`).join(' | ');
  if (schema.type === 'record') return declare(schema);
  return typeOf(schema.type);
}

function declare(record) {
  const fields = record.fields.map((field) => {
    const doc = field.doc ? `  /** ${field.doc} */\n` : '';
    return `${doc}  ${field.name}: ${typeOf(field.type)};\n`;
  });
  const doc = record.doc ? `/** ${record.doc} */\n` : '';
  declarations.push(`${doc}export interface ${record.name} {\n${fields.join('')}}\n`);
  return record.name;
}

schemas.forEach(declare);
const constants = schemas.map(
  (schema) => `export const ${schema.name}Schema = ${JSON.stringify(schema, null, 2)} as const;\n`,
);
const text = `// Generated from schemas/*.avsc by scripts/generate-types.mjs: change the schemas, not this file.\n\n${declarations.join('\n')}\n${constants.join('\n')}`;

const target = new URL('generated.ts', root);
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error(
    'schemas/generated.ts is out of date with schemas/*.avsc: run `node scripts/generate-types.mjs`',
  );
  process.exit(1);
}

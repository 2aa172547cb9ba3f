import { createRequire } from 'node:module';

/** A validator as Ajv compiles it, the part that @platformatic/kafka uses. */
interface Validator {
  (data: unknown): boolean;
  errors?: unknown;
}

interface Compiler {
  compile: (this: Compiler, schema: unknown) => Validator;
}

// @platformatic/kafka compiles the options of its high-level clients, which we do not use, as it is imported: half of the time
// that the import takes, 0.4 s in each process. From here on a validator is compiled when it is first called.
const { Ajv2020 } = createRequire(import.meta.resolve('@platformatic/kafka'))('ajv/dist/2020.js') as {
  Ajv2020: { prototype: Compiler };
};
const compile = Ajv2020.prototype.compile;

Ajv2020.prototype.compile = function compileWhenCalled(this: Compiler, schema: unknown): Validator {
  let compiled: Validator | undefined;
  const validate: Validator = (data) => {
    compiled ??= compile.call(this, schema);
    const isValid = compiled(data);
    validate.errors = compiled.errors;
    return isValid;
  };
  return validate;
};

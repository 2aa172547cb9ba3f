import { readFile } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import { aclCommands, aclsFor, ROLES, type Role } from '../../cluster/acls.js';
import { parseBinding, type BindingDefinition } from '../../cluster/bindings/definition.js';
import { ABILITIES } from '../../kafka/abilities.js';
import type { Config } from '../../core/config/config.js';
import { scanRepository } from '../../consumers/models/repository.js';
import { PartituraError } from '../../schemas/errors.js';
import { withOptions, type ConfigOf } from '../options.js';
import { print, printJson } from '../output.js';

interface AclsFlags {
  readonly model: readonly string[];
  readonly binding: readonly string[];
  readonly replyTopic: readonly string[];
  readonly user: string;
  readonly create: boolean;
  readonly json: boolean;
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

/** Adds `acls`. */
export function addAclsCommand(program: Command, configOf: ConfigOf): void {
  const command = program
    .command('acls')
    .addArgument(new Argument('<role>', 'role to print').choices(ROLES))
    .description('print the minimal ACLs of a role, as commands or JSON');
  withOptions(command, ['prefix', 'models', 'kafkaClient'])
    .option('--model <name>', 'a model; repeatable (default: all in the repository)', collect, [])
    .option('--binding <file>', 'a binding that nodes run; repeatable', collect, [])
    .option('--reply-topic <topic>', 'an additional reply topic; repeatable', collect, [])
    .option('--user <name>', 'principal to grant the rights to', 'partitura')
    .option('--create', 'also grant the right to create missing topics', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura acls node --user node-1 --model digits')
    .action((role: Role, flags: AclsFlags) => runAcls(configOf({ ...flags }), role, flags));
}

/** Prints the ACLs. @throws PartituraError if models or bindings cannot be read */
async function runAcls(config: Config, role: Role, flags: AclsFlags): Promise<void> {
  const acls = aclsFor(role, {
    prefix: config.prefix,
    models: flags.model.length > 0 ? flags.model : await modelsOf(role, config),
    replyTopics: flags.replyTopic,
    bindings: await Promise.all(flags.binding.map(readBinding)),
    groupless: ABILITIES[config.kafkaClient].groupless,
    createsTopics: flags.create,
    sharesGroups: config.delivery === 'queue',
  });
  if (flags.json) return printJson({ role, acls });
  for (const command of aclCommands(acls, `User:${flags.user}`)) print(command);
}

/** Returns the models of a role; operators and readers need no list, since their rights cover all. */
async function modelsOf(role: Role, { models }: Config): Promise<string[]> {
  if (role === 'operator' || role === 'read-only') return [];
  return [...(await scanRepository(models)).keys()];
}

async function readBinding(file: string): Promise<BindingDefinition> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PartituraError('INVALID_REQUEST', `binding: cannot read ${file}`, { cause });
  });
  return parseBinding(text);
}

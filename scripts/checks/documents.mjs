// Holds README.md and docs/ against the checkout: links, paths, folders of the map, and numbers of the promises.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MUTANTS } from '../mutants/mutants.mjs';
import { root } from '../setup/paths.mjs';
import { trackedFiles } from './tracked-files.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');
const files = trackedFiles(/./);
const problems = [
  ...brokenLinks(),
  ...missingPaths(),
  ...foldersNotInMap(),
  ...otherPromises(),
  ...staleMutants(),
];

/** Links of documents to files that do not exist. */
function brokenLinks() {
  return files
    .filter((path) => /^(README|CONTRIBUTING|docs\/[^/]+|examples\/.+)\.md$/.test(path))
    .flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
        .filter(([, target]) => !existsSync(join(root, dirname(path), target)))
        .map(([, target]) => `${path}: link to ${target}, which does not exist`),
    );
}

/** Paths from the root, in backquotes, that DESIGN.md names and that do not exist. */
function missingPaths() {
  const rooms = topFolders().join('|');
  const named = read('docs/DESIGN.md').matchAll(new RegExp(`\`((?:${rooms})/[A-Za-z0-9_./-]*)\``, 'g'));
  return [...new Set([...named].map(([, path]) => path))]
    .filter((path) => !existsSync(join(root, path)))
    .map((path) => `docs/DESIGN.md: ${path} does not exist`);
}

/** Folders of the first level, and those of consumers/, that the map of DESIGN.md leaves out. */
function foldersNotInMap() {
  const design = read('docs/DESIGN.md');
  const rooms = new Set(
    files
      .filter((path) => path.startsWith('consumers/'))
      .map((path) => path.split('/').slice(0, 2).join('/')),
  );
  return [...topFolders(), ...rooms]
    .filter((folder) => !design.includes(`\`${folder}/\``))
    .map((folder) => `docs/DESIGN.md: the map leaves out ${folder}/`);
}

function topFolders() {
  const folders = files.filter((path) => path.includes('/')).map((path) => path.split('/')[0]);
  return [...new Set(folders)].filter((folder) => !folder.startsWith('.'));
}

/** Promises have the same numbers in README.md, in DESIGN.md and in the breakages that tests must notice. */
function otherPromises() {
  const inReadme = numbersOf(read('README.md'), /^(\d+)\. \*\*/gm);
  const inDesign = numbersOf(read('docs/DESIGN.md'), /^\| (\d+) .*integration-tests\//gm);
  const broken = [...new Set(MUTANTS.map(({ promise }) => promise))].sort((a, b) => a - b).join();
  return [
    ...(inDesign === inReadme ? [] : [`promises: README.md has ${inReadme}, docs/DESIGN.md ${inDesign}`]),
    ...(broken === inReadme ? [] : [`promises: README.md has ${inReadme}, scripts/mutants ${broken}`]),
  ];
}

function numbersOf(text, pattern) {
  return [...text.matchAll(pattern)].map(([, number]) => number).join();
}

/** Breakages whose text does not occur exactly once in its file. */
function staleMutants() {
  return MUTANTS.flatMap(({ breaks, edits }) =>
    edits
      .filter(([file, from]) => read(file).split(from).length !== 2)
      .map(([file]) => `scripts/mutants/mutants.mjs: "${breaks}" does not match ${file}`),
  );
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

import { groupBy } from '../../core/group-by.js';
import { OPERATIONS } from './operations/index.js';

/** Methods of each documented path. */
const RESOURCES = [...groupBy(OPERATIONS, ({ path }) => path)].map(([path, operations]) => ({
  pattern: patternOf(path),
  methods: operations.map(({ method }) => method.toUpperCase()),
}));

/** Returns the methods of the resources at a URL's path; none if there is no such resource. */
export function allowedMethods(url: string): string[] {
  const [path = ''] = url.split('?', 1);
  const methods = RESOURCES.filter(({ pattern }) => pattern.test(path)).flatMap((one) => one.methods);
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].sort();
}

/** Returns the pattern of a path with parameters; paths of TensorFlow Serving have colons and no case. */
function patternOf(path: string): RegExp {
  const isServing = path.startsWith('/v1/');
  const parameter = isServing ? '[^/:]+' : '[^/]+';
  const pattern = path.replaceAll('.', '\\.').replace(/\{\w+\}/g, parameter);
  return new RegExp(`^${pattern}/?$`, isServing ? 'i' : '');
}

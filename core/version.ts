/** As in package.json: a test holds the two against each other. */
export const VERSION = '0.1.0';

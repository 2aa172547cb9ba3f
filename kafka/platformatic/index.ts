import './lazy-validators.js';

export * from '@platformatic/kafka';

import { render } from 'preact';
import { follow } from '../shared/live.js';
import { Status } from '../shared/status.js';
import { ConsolePage } from './console-page.js';
import { followLinks } from './router.js';

const main = document.getElementById('main');
const status = document.getElementById('status');
if (main && status) {
  main.replaceChildren();
  render(<ConsolePage />, main);
  render(<Status />, status);
  followLinks();
  follow();
}

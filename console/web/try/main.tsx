import { render } from 'preact';
import { follow } from '../shared/live.js';
import { Status } from '../shared/status.js';
import { TryPage } from './try-page.js';

const main = document.getElementById('main');
const status = document.getElementById('status');
if (main && status) {
  main.replaceChildren();
  render(<TryPage />, main);
  render(<Status />, status);
  follow();
}

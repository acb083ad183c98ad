export { refuseOtherNode } from './node-version.mjs';

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** The yardstick: Node's own server, sending one recorded answer to every request and doing nothing else. */
const [file = '', port = '0'] = process.argv.slice(2);
const recorded = JSON.parse(readFileSync(file, 'utf8')) as {
  status: number;
  headers: string[];
  body: string;
};
const body = Buffer.from(recorded.body, 'base64');

createServer((_request, response) => {
  response.writeHead(recorded.status, recorded.headers);
  response.end(body);
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));

import type { ServerResponse } from 'node:http';
import type { Company } from './stripe-company.ts';
import { declined } from './stripe-payments.ts';

/** The page on which a reader pays, as far as a browser has to do with it: buttons in the place of a card's number. */
export function servePage(
  company: Company,
  method: string,
  path: string,
  text: string,
  response: ServerResponse,
): void {
  const session = company.sessions.get(/^\/c\/pay\/(cs_\w+)$/.exec(path)?.[1] ?? '');
  if (session === undefined || session.status !== 'open') {
    show(response, 404, '<h1>This page is over</h1>');
    return;
  }
  if (method !== 'POST') {
    show(
      response,
      200,
      `<h1>${session.description ?? ''}</h1><p>${session.amount} ${session.currency}</p>
      <form method="post"><button name="card" value="good">Pay</button>
      <button name="card" value="bad">Pay with a card that is declined</button></form>
      <a href="${session.cancelUrl}">Back</a>`,
    );
    return;
  }
  const isGood = new URLSearchParams(text).get('card') === 'good';
  company.pay(session.id, isGood ? 'succeeded' : declined('insufficient_funds'));
  response.writeHead(303, { location: isGood ? session.successUrl : path }).end();
}

function show(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    .end(
      `<!doctype html><html lang="en"><title>Checkout</title><link rel="icon" href="data:,"><main>${body}</main></html>`,
    );
}

import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { MAIL_KINDS, type MailKind, type NewMail } from '#mail';
import { MAIL_SAMPLES } from '../../test/mails.ts';
import { testFrame } from '../../test/site.ts';
import { type MailFrame, renderMail, type Written } from './emails.ts';

const english: MailFrame = {
  paper: testFrame({
    paper: {
      contactEmail: 'readers@paper.example',
      sellerName: 'Harbour Media',
      sellerAddress: '14 Quay\nMumbai',
    },
  }).paper,
  baseUrl: 'https://paper.example',
};
const hindi: MailFrame = {
  paper: testFrame({ paper: { name: 'बंदरगाह समाचार <b>&</b>', language: 'hi-IN' } }).paper,
  baseUrl: 'https://paper.example',
};
const kinds = Object.keys(MAIL_KINDS) as MailKind[];

function write(kind: MailKind, frame: MailFrame, payload: object = {}): Written {
  return renderMail({ kind, payload: { ...MAIL_SAMPLES[kind], ...payload } } as NewMail, frame);
}

/** What is left of a mail without its mark-up, and the addresses in it. */
function read(html: string): { words: string; addresses: string[]; elements: string[] } {
  const parser = new SaxesParser({ fragment: true });
  let words = '';
  const addresses: string[] = [];
  const elements: string[] = [];
  parser.on('text', (text) => {
    if (elements.includes('body')) words += `${text} `;
  });
  parser.on('opentag', ({ attributes, name }) => {
    elements.push(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (/^(href|src|srcset|background|action|poster|data)$/.test(key)) addresses.push(value);
    }
  });
  parser.write(html.replace('<!doctype html>', '')).close();
  return { words: words.replace(/\s+/g, ' '), addresses, elements };
}

describe.each([
  ['English', english],
  ['Hindi, with a name that looks like mark-up', hindi],
] as const)('a mail of a paper in %s', (_, frame) => {
  it.each(kinds)('is whole in either version: %s', (kind) => {
    const { html, subject, text } = write(kind, frame);
    const { elements, words } = read(html);
    expect(html).toContain(`<html lang="${frame.paper.language}">`);
    expect(elements.filter((name) => name === 'h1')).toHaveLength(1);
    for (const version of [words, text]) {
      expect(version).toContain(frame.paper.name);
      expect(version).not.toMatch(/undefined|null|NaN|\[object|!/);
    }
    expect(subject).not.toMatch(/undefined|null|!|[\r\n]/);
  });

  it.each(kinds)('loads nothing, runs nothing, and leads to the paper alone: %s', (kind) => {
    const { html, text } = write(kind, frame);
    const { addresses, elements } = read(html);
    expect(
      elements.filter((name) => /^(img|script|link|iframe|form|input|svg|video|object)$/.test(name)),
    ).toEqual([]);
    expect(html).not.toMatch(/url\(|@import|@font-face/);
    for (const address of [...addresses, ...(text.match(/\b[a-z]+:\/\/\S+/g) ?? [])]) {
      expect(address).toMatch(/^(https:\/\/paper\.example(\/|$)|mailto:readers@paper\.example$)/);
    }
  });
});

describe('a code', () => {
  const codes = kinds.filter((kind) => kind.endsWith('-code'));

  it.each(codes)('stands in both versions, and can be copied as six digits: %s', (kind) => {
    const { html, text } = write(kind, english, { code: '006120' });
    expect(html).toMatch(/<span>006<\/span><span [^>]*>120<\/span>/);
    expect(text).toMatch(/^ +006 120$/m);
  });

  it('is shown on a locked telephone only where it opens nothing but a page that its reader has before them', () => {
    const shown = codes.filter((kind) =>
      write(kind, english, { code: '006120' }).subject.includes('006 120'),
    );
    expect(shown).toEqual(['sign-in-code', 'welcome-code']);
  });

  it.each(codes)('says how long it works, and what to do if it was not you: %s', (kind) => {
    for (const version of [
      read(write(kind, english, { minutes: 10 }).html).words,
      write(kind, english, { minutes: 10 }).text,
    ]) {
      expect(version).toContain('within 10 minutes');
      expect(version).toContain('If you ');
      expect(version).toContain('do nothing');
    }
    expect(write(kind, english, { minutes: 1 }).text).toContain('within one minute');
  });
});

describe('a receipt', () => {
  const { html, subject, text } = write('receipt', english);
  const { words } = read(html);

  it('says what was paid, for what, how, by whom to whom, and when it is asked for again', () => {
    for (const version of [words, text]) {
      for (const fact of [
        '₹2,700',
        'Yearly',
        // The last day that is paid, and not the first that is not.
        '23 November 2026 to 22 November 2027',
        'Visa ending in 4242',
        'pay_R8s7dKq2LmN0xY',
        'Karnataka, India',
        'Harbour Gazette Media Private Limited, 14 Customs House Road, Mumbai 400001',
        'It renews by itself on 23 November 2027',
      ]) {
        expect(version).toContain(fact);
      }
    }
    expect(subject).toContain('₹2,700');
  });

  it('says how to cancel', () => {
    expect(html).toContain('href="https://paper.example/account/subscription"');
    expect(text).toContain(
      'cancel at any time, and read to the end of what is paid:\nhttps://paper.example/account/subscription',
    );
  });

  it('promises no renewal where there is none', () => {
    const { text } = write('receipt', english, { renewsOn: undefined });
    expect(text).toContain('It does not renew by itself.');
    expect(text).not.toContain('cancel');
  });

  it('is written in the language and the zone of the paper', () => {
    const { text } = write('receipt', hindi);
    expect(text).toContain('23 नवंबर 2026');
    expect(text).toContain('Karnataka, भारत');
  });
});

describe('a notice', () => {
  it('names the last day that can be read, and the first day of a renewal', () => {
    expect(write('subscription-ends', english).subject).toContain('ends on 22 November 2027');
    expect(write('subscription-goes-on', english).text).toContain('renews by itself on 23 November 2027');
  });

  it('does not tell an old address where mail goes now', () => {
    const { html, text } = write('address-changed', english);
    expect(
      `${html}${text}`.match(/[\w.]+@[\w.]+/g)?.filter((one) => one !== 'readers@paper.example'),
    ).toEqual([]);
  });

  it('says whom to write to: an address where the paper has given one, and else the page of contacts', () => {
    expect(write('address-changed', english).text).toContain('readers@paper.example');
    expect(write('address-changed', hindi).text).toContain('https://paper.example/contact');
  });
});

describe('a change of price', () => {
  it('F119: says the old price and the new one, by the month too, from which day, and the way out', () => {
    const { html, subject, text } = write('price-change', english);
    expect(subject).toBe('From 23 November 2027 your subscription to The Harbour Gazette costs ₹1,080');
    for (const version of [read(html).words, text.replace(/\s+/g, ' ')])
      for (const fact of [
        'costs ₹900 for 3 months (₹300 a month) now',
        'From 23 November 2027',
        'it will cost ₹1,080 for 3 months (₹360 a month). Both prices include tax.',
        'If you do not want to pay more, cancel before 23 November 2027: it costs you nothing',
      ])
        expect(version).toContain(fact);
    expect(text).toContain('https://paper.example/account/cancellation');
    expect(text).not.toContain('/account/payment');
  });

  it.each([
    ['none', 'no card or mandate that we may charge', true],
    ['too-small', 'does not let us take that much', true],
    ['by-hand', 'nobody may take so much without you', false],
  ] as const)('asks for what is needed to charge it: %s', (asks, words, isLinked) => {
    const { text } = write('price-change', english, { asks });
    expect(text.replace(/\s+/g, ' ')).toContain(words);
    expect(text.includes('https://paper.example/account/payment')).toBe(isLinked);
    expect(text).not.toContain('nothing to do');
  });

  it('that falls asks for nothing', () => {
    const { subject, text } = write('price-change', english, {
      amount: { minor: 80_000n, currency: 'INR' },
      asks: 'too-small',
    });
    expect(subject).toContain('costs less: ₹800');
    expect(text).not.toContain('Please give');
  });
});

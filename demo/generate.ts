import { parseArgs } from 'node:util';
import { systemClock } from '#platform/clock';
import { Dice } from './dice.ts';

/**
 * Stories of the Courier's world by the thousand, for trials of scale: put together by a grammar from the names in
 * demo/README.md. They read like a newspaper at a glance and tell nothing. The same seed gives the same stories.
 *
 *     node demo/generate.ts 100000 --seed 1 > big.ndjson
 */

const PLACES = [
  'Kadalpur',
  'Neelgaon',
  'Port Amaravi',
  'Vellipuram',
  'Hathigarh',
  'Suryanagar',
  'the Tarini delta',
  'the customs quarter',
  'the old ferry landing',
  'the tea hills',
];
const PEOPLE = [
  'Devika Raman',
  'Arjun Sethi',
  'Meher Contractor',
  'Ila Banerji',
  'Padma Gomes',
  'Tanvi Merani',
  'Rustom Vakil',
  'Sunita Bhave',
  'Harish Kotwal',
  'Noor Daruwala',
  'Gopal Menon',
  'Esther Lobo',
  'Imran Qadri',
  'Veena Apte',
];
const REPORTERS = [
  'Anjali Deshmukh',
  'Farid Merchant',
  'Tara Nambiar',
  "Kabir D'Souza",
  'Leela Krishnan',
  'Joseph Pereira',
  'Rukmini Sen',
  'Omar Sheikh',
  'Nandini Rao',
  'Vikram Solanki',
];
const COMPANIES = [
  'Marigold Motors',
  'Tidewater Foods',
  'Kesar Bank',
  'Lotus Grid',
  'Peacock Air',
  'Banyan Semiconductors',
  'Silkline Logistics',
  'Monsoon Telecom',
  'Harbour Trust',
];
const NEIGHBOURS = ['Ostravia', 'the Marram Islands', 'Qasira', 'the Vetch Federation'];
const OFFICES = [
  'the finance ministry',
  'the ports ministry',
  'the Bank of Samudra',
  'the Assembly’s budget committee',
  'the Kadalpur corporation',
  'the election office',
  'the auditor’s office',
  'the high court at Kadalpur',
];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
];

type Desk = {
  readonly section: string;
  readonly subjects: readonly string[];
  readonly matters: readonly string[];
  readonly topics: readonly string[];
  readonly verbs: readonly string[];
};

const DESKS: readonly Desk[] = [
  {
    section: 'Nation',
    subjects: [
      'Residents',
      'The metro authority',
      'Ferry crews',
      'School heads',
      'Water engineers',
      'Forest rangers',
    ],
    matters: [
      'the second tunnel',
      'flood warnings',
      'a new bus lane',
      'ration cards',
      'the well at the temple tank',
      'night ferries',
    ],
    topics: ['Transport', 'Kadalpur Metro', 'Water', 'Schools', 'Forests', 'Health'],
    verbs: ['asks for', 'turns down', 'opens', 'delays', 'pays twice for', 'counts the cost of'],
  },
  {
    section: 'Politics',
    subjects: [
      'The Harbour Party',
      'The Hill League',
      'Arjun Sethi',
      'Meher Contractor',
      'Ila Banerji',
      'The Assembly',
    ],
    matters: [
      'the ports bill',
      'a by-election',
      'the language rules',
      'the budget',
      'an inquiry',
      'the speaker’s ruling',
    ],
    topics: ['Assembly', 'Harbour Party', 'Hill League', 'Elections', 'Budget', 'Arjun Sethi'],
    verbs: ['defends', 'splits over', 'withdraws', 'votes on', 'questions', 'promises a paper on'],
  },
  {
    section: 'Markets',
    subjects: [
      'The KDX 40',
      'The rupee',
      'Bond traders',
      'Gold dealers',
      'Kesar Bank shares',
      'Small investors',
    ],
    matters: [
      'the rate decision',
      'a weaker monsoon',
      'the trade figures',
      'a rights issue',
      'Qasira’s oil',
      'the new tax',
    ],
    topics: ['KDX 40', 'Bank of Samudra', 'Gold', 'Bonds', 'Rupee', 'Personal finance'],
    verbs: ['shrugs off', 'slides on', 'waits for', 'recovers from', 'prices in', 'misreads'],
  },
  {
    section: 'Business',
    subjects: COMPANIES,
    matters: [
      'a second plant',
      'its lenders',
      'a price war',
      'the founder’s shares',
      'a union vote',
      'a recall',
    ],
    topics: [...COMPANIES, 'Earnings', 'Labour'],
    verbs: ['settles with', 'bets on', 'reports on', 'steps back from', 'faces', 'borrows for'],
  },
  {
    section: 'Technology',
    subjects: [
      'Banyan Semiconductors',
      'Monsoon Telecom',
      'A Kadalpur start-up',
      'University engineers',
      'The regulator',
    ],
    matters: [
      'the 28-nanometre line',
      'spectrum',
      'a payments outage',
      'cheap handsets',
      'an open map of the delta',
    ],
    topics: ['Semiconductors', 'Telecom', 'Payments', 'Start-ups', 'Privacy'],
    verbs: ['ships', 'tests', 'explains', 'rations', 'gives away', 'patches'],
  },
  {
    section: 'World',
    subjects: ['Ostravia', 'Qasira', 'The Marram Islands', 'The Vetch Federation', 'Envoys'],
    matters: [
      'a gas contract',
      'fishing rights',
      'the winter treaty',
      'a border crossing',
      'the summit at Kadalpur',
    ],
    topics: ['Ostravia', 'Qasira', 'Marram Islands', 'Vetch Federation', 'Trade', 'Diplomacy'],
    verbs: ['signs', 'stalls', 'renews', 'closes', 'bargains over', 'returns to'],
  },
  {
    section: 'Culture',
    subjects: [
      'A first novel',
      'The repertory',
      'Neelgaon’s choir',
      'A weaver',
      'The cricket board',
      'A street kitchen',
    ],
    matters: [
      'memory',
      'the river',
      'a lost raga',
      'the long format',
      'grandmothers’ recipes',
      'the monsoon festival',
    ],
    topics: ['Books', 'Film', 'Music', 'Food', 'Cricket', 'Textiles'],
    verbs: ['celebrates', 'argues with', 'rescues', 'sings of', 'cooks for', 'forgets'],
  },
  {
    section: 'Opinion',
    subjects: ['The case', 'A modest plan', 'Two cheers', 'The trouble', 'What is missing'],
    matters: [
      'ferries',
      'a free harbour',
      'plain budgets',
      'long trains',
      'short speeches',
      'tolls on the Tarini bridge',
    ],
    topics: ['Columns', 'Letters', 'Transport', 'Budget', 'Elections'],
    verbs: ['for', 'against', 'in', 'behind', 'beyond', 'and'],
  },
];

type Scene = {
  readonly dice: Dice;
  readonly desk: Desk;
  readonly place: string;
  readonly person: string;
  readonly company: string;
};

const BANDS = ['a quarter', 'a third', 'nearly half', 'two fifths', 'one in eight', 'more than half'];
const QUOTES = [
  'We were told it would take a season. It has taken four, and the season is not over',
  'Nobody at this table disputes the number. We dispute what it is a number of',
  'If the ferry runs, people go to work. If it does not, they telephone me',
  'I have read the plan twice and I still do not know who is to pay for it',
  'It is a good idea, and it arrives with a bad invoice',
  'My grandmother would have settled this before lunch',
  'There is money for this. There has always been money for this',
  'We measured it in March, and we measured it again because we did not believe the first result',
];
const ASIDES = [
  'A plan that cannot be explained at a bus stop is not yet a plan',
  'We have a great many reports and very few results',
  'I would rather be late and right, and I am already late',
  'Ask the people who carry the sacks',
  'Every estimate we were given had somebody’s hope in it',
];
const HEADINGS = [
  'What is known so far',
  'Who pays',
  'The long way round',
  'A question of dates',
  'Numbers and neighbours',
  'What happens next',
  'An old argument',
  'The view from the gate',
  'Small print',
  'Two versions',
];
const CLOSINGS = [
  'A decision is expected before the rains.',
  'The next hearing is in three weeks.',
  'Nobody from the other side would speak for the record.',
  'The file, an official said, is still open.',
  'Work is to begin when the last of the permits is signed.',
];

/** Sentences of every kind a report is made of; each is given the scene and throws its own dice. */
const SENTENCES: readonly ((scene: Scene) => string)[] = [
  ({ dice, place }) =>
    `In ${place}, ${dice.of(BANDS)} of those asked said they had heard of it from a neighbour and not from any office.`,
  ({ dice, company }) =>
    `${company} put the cost at ₹${dice.whole(12, 980)} crore, of which ₹${dice.whole(2, 11)} crore has been spent.`,
  ({ dice, person }) =>
    `“${dice.of(QUOTES)},” said ${person}, who has followed the matter since ${dice.whole(1998, 2019)}.`,
  ({ dice }) =>
    `The increase, ${dice.whole(1, 19)}.${dice.whole(0, 9)} per cent over a year, is the ${dice.of(['largest', 'second largest', 'smallest'])} since records were put in order.`,
  ({ dice }) =>
    `A reply from ${dice.of(OFFICES)} ran to ${dice.whole(2, 40)} pages and answered ${dice.whole(1, 6)} of the ${dice.whole(7, 20)} questions put to it.`,
  ({ dice, place }) =>
    `On ${dice.of(DAYS)} the office at ${place} opened at seven, an hour early, and by noon had seen ${dice.whole(40, 900)} people.`,
  ({ dice, person }) => `${person} declined to give a date but did not rule out ${dice.of(MONTHS)}.`,
  ({ dice }) =>
    `Two earlier attempts, in ${dice.whole(1999, 2008)} and ${dice.whole(2009, 2022)}, ended in court.`,
  ({ dice, company }) =>
    `Shares of ${company} closed at ₹${dice.whole(80, 2400)}, ${dice.of(['up', 'down'])} ${dice.whole(0, 6)}.${dice.whole(1, 9)} per cent on the day.`,
  ({ dice }) =>
    `The comparison with ${dice.of(NEIGHBOURS)}, which spends ${dice.of(['twice', 'half', 'three times'])} as much a head, is made by everybody and liked by no one.`,
  ({ dice, place }) =>
    `At ${place} the queue had formed before light; some had come ${dice.whole(3, 60)} kilometres, and a few had come on foot.`,
  ({ dice }) =>
    `The draft names ${dice.whole(3, 14)} conditions, the fourth of which has been rewritten ${dice.of(['once', 'twice', 'five times'])}.`,
  ({ dice, person }) =>
    `Asked whether the figures had been shown to ${dice.of(OFFICES)}, ${person} said they had been “made available”.`,
  ({ dice, company }) =>
    `A spokesman for ${company} said the ${dice.of(['delay', 'notice', 'letter', 'report'])} was “a matter of sequence, not of substance”.`,
  ({ dice, place }) =>
    `What can be said of ${place} cannot be said of the ${dice.of(['hills', 'coast', 'delta', 'desert edge'])}, where wages have stood still for ${dice.of(['two', 'three', 'six'])} years.`,
  ({ dice }) =>
    `The auditors found ${dice.whole(2, 48)} entries that nobody could explain and one that nobody tried to.`,
  ({ dice, place }) =>
    `A map of ${place} printed in ${dice.whole(1921, 1974)} shows the same boundary, ${dice.whole(2, 90)} metres to the ${dice.of(['north', 'east', 'west'])}.`,
  ({ dice, person }) =>
    `${person} learnt of the change from ${dice.of(['the radio', 'a nephew', 'this newspaper', 'a notice on the gate'])}.`,
  ({ dice, company }) =>
    `${company} employs ${dice.whole(300, 9800)} people, ${dice.whole(4, 38)} per cent of them on contracts that end within the year.`,
  ({ dice }) =>
    `The rule dates from ${dice.whole(1958, 1996)} and has been used ${dice.of(['once', 'twice', 'seven times'])}.`,
  ({ dice }) =>
    `Of the ${dice.whole(20, 400)} objections that were filed, ${dice.whole(2, 19)} were heard and ${dice.of(['none', 'one', 'two'])} was upheld.`,
  ({ dice, place }) =>
    `The last time it rained this much at ${place}, in ${dice.whole(1978, 2015)}, the bridge was closed for ${dice.whole(3, 30)} days.`,
  ({ dice, person }) =>
    `Friends of ${person} describe somebody who counts twice and signs once; opponents agree, and ${dice.of(['sigh', 'complain', 'wait'])}.`,
  ({ dice, company }) =>
    `The loan, of ₹${dice.whole(40, 900)} crore over ${dice.whole(3, 15)} years, was arranged by ${company} at ${dice.whole(6, 11)}.${dice.whole(1, 9)} per cent.`,
  ({ dice }) =>
    `Tea, cotton and ${dice.of(['ferry tickets', 'school fees', 'bus fares', 'cardamom'])} have each become dearer by ${dice.whole(2, 18)} rupees since the spring.`,
  ({ dice, place }) =>
    `Shopkeepers in ${place} said trade had fallen by ${dice.whole(11, 60)} per cent and blamed the ${dice.of(['barricades', 'diversion', 'heat', 'rumours'])}.`,
  ({ dice }) =>
    `The committee sat for ${dice.whole(2, 11)} hours, took evidence from ${dice.whole(3, 24)} witnesses and adjourned for tea ${dice.of(['twice', 'three times'])}.`,
  ({ dice, person }) =>
    `“${dice.of(ASIDES)},” ${person} told a meeting of ${dice.whole(30, 700)} people at the weekend.`,
  ({ dice }) =>
    `A study by three universities, published in ${dice.of(MONTHS)}, came to the opposite conclusion from ${dice.whole(200, 4000)} interviews.`,
  ({ dice, place }) =>
    `The nearest ${dice.of(['hospital', 'court', 'bank', 'secondary school'])} to ${place} is ${dice.whole(9, 80)} minutes away when the road is open.`,
  ({ dice, company }) =>
    `Competitors of ${company} have asked for the same terms and been offered ${dice.of(['a seat on a panel', 'a shorter lease', 'nothing'])}.`,
  ({ dice }) =>
    `In the budget the item stands on page ${dice.whole(12, 310)}, between ${dice.of(['lighthouses and stationery', 'seeds and stamps', 'bridges and bees'])}.`,
  ({ dice, person }) =>
    `${person} will be ${dice.whole(41, 79)} in ${dice.of(MONTHS)} and has said that this is the last such undertaking.`,
  ({ dice }) =>
    `Insurers paid out ₹${dice.whole(3, 240)} crore last year, against ₹${dice.whole(3, 240)} crore the year before.`,
  ({ dice, place }) =>
    `From the roof of the post office at ${place} one can see all ${dice.of(['three', 'four', 'five'])} of the sites that were considered.`,
  ({ dice }) =>
    `The tender drew ${dice.whole(2, 9)} bids, the lowest of them ${dice.whole(4, 31)} per cent below the estimate and missing a signature.`,
];

/** The body of a report in HTML. Some have headings, a few a table, a list or a quotation; no sentence comes twice soon. */
function body(scene: Scene, paragraphs: number): string {
  const { dice } = scene;
  const deck = dice.shuffled(SENTENCES);
  let dealt = 0;
  let html = '';
  for (let at = 0; at < paragraphs; at++) {
    if (at > 2 && at % 6 === 0 && dice.chance(0.5)) html += `<h2>${dice.of(HEADINGS)}</h2>\n`;
    let text = '';
    for (let count = dice.whole(1, 4); count > 0; count--) {
      text += `${text === '' ? '' : ' '}${deck[dealt++ % deck.length]?.(scene)}`;
    }
    html += at === 0 ? `<p><b>${scene.place.toUpperCase()}</b> — ${text}</p>\n` : `<p>${text}</p>\n`;
    if (at === 3 && dice.chance(0.15)) html += list(scene);
    if (at === 4 && dice.chance(0.1)) html += table(scene);
    if (at === 5 && dice.chance(0.15))
      html += `<blockquote><p>${dice.of(QUOTES)}.</p><footer>${scene.person}</footer></blockquote>\n`;
  }
  return `${html}<p>${dice.of(CLOSINGS)}</p>`;
}

function list({ dice, desk }: Scene): string {
  const items = Array.from(
    { length: dice.whole(3, 5) },
    () =>
      `<li>${dice.of(desk.subjects)}: <a href="https://example.com/${dice.whole(100, 999)}">${dice.of(desk.matters)}</a></li>`,
  );
  return `<ul>\n${items.join('\n')}\n</ul>\n`;
}

function table({ dice }: Scene): string {
  const first = dice.whole(1999, 2020);
  const rows = Array.from(
    { length: dice.whole(3, 6) },
    (_, at) =>
      `<tr><td>${first + at}</td><td>${dice.whole(10, 900)}</td><td>${dice.whole(1, 40)}.${dice.whole(0, 9)}</td></tr>`,
  );
  return `<table><caption>Year by year</caption><thead><tr><th>Year</th><th>₹ crore</th><th>Per cent</th></tr></thead><tbody>${rows.join('')}</tbody></table>\n`;
}

const FIRST_DAY = 852_057_000; // 1997-01-01 in India, in seconds since 1970

/**
 * @param options.seed which stories; the same seed and `until` give the same ones
 * @param options.until the newest possible moment of publication
 * @yields one record of `ndjson` each, without a line end
 */
export function* generateStories(
  count: number,
  options: { readonly seed: number; readonly until: Temporal.Instant },
): Generator<string> {
  const dice = new Dice(options.seed * 7_919 + 1);
  const end = Math.floor(options.until.epochMilliseconds / 1000);
  for (let number = 1; number <= count; number++) {
    const desk = dice.of(DESKS);
    const scene = {
      dice,
      desk,
      place: dice.of(PLACES),
      person: dice.of(PEOPLE),
      company: dice.of(COMPANIES),
    };
    const subject = dice.of(desk.subjects);
    const matter = dice.of(desk.matters);
    const headline = `${subject} ${dice.of(desk.verbs)} ${matter}${dice.chance(0.5) ? ` in ${scene.place}` : `: ${scene.company} and ${scene.person}`}`;
    // One in twenty is of the last month, as in an archive that is still being written.
    const from = dice.chance(0.05) ? end - 30 * 86_400 : FIRST_DAY;
    const seconds = from + Math.floor(dice.roll() * (end - from));
    const access = dice.roll();
    yield JSON.stringify({
      id: `gen-${options.seed}-${number}`,
      headline,
      standfirst: `${SENTENCES[dice.whole(0, SENTENCES.length - 1)]?.(scene) ?? ''} ${dice.of(CLOSINGS)}`,
      body: body(scene, dice.whole(5, 24)),
      body_format: 'html',
      published_at: Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toString(),
      section: desk.section,
      authors: dice.chance(0.1) ? [dice.of(REPORTERS), dice.of(REPORTERS)] : [dice.of(REPORTERS)],
      topics: [dice.of(desk.topics), dice.of(desk.topics), dice.of(PLACES.slice(0, 6))],
      ...(access < 0.1
        ? { access: 'premium' }
        : access < 0.2
          ? { access: 'free' }
          : access < 0.25
            ? { access: 'registered' }
            : {}),
      lang: 'en',
      source: 'generated',
    });
  }
}

async function writeAll(count: number, seed: number, until: Temporal.Instant): Promise<void> {
  let block = '';
  for (const line of generateStories(count, { seed, until })) {
    block += `${line}\n`;
    if (block.length < 1_000_000) continue;
    await write(block);
    block = '';
  }
  await write(block);
}

function write(block: string): Promise<void> | undefined {
  if (process.stdout.write(block)) return undefined;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, until: { type: 'string' } },
  });
  const count = Number(positionals[0]);
  const seed = Number(values.seed);
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
    process.stderr.write('usage: node demo/generate.ts COUNT [--seed N] [--until INSTANT]\n');
    process.exitCode = 2;
  } else {
    // Whoever reads may have read enough (`| head`).
    process.stdout.on('error', (error) => process.exit('code' in error && error.code === 'EPIPE' ? 0 : 1));
    await writeAll(
      count,
      seed,
      values.until === undefined ? systemClock.now() : Temporal.Instant.from(values.until),
    );
  }
}

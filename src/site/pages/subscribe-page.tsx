import type { Benefit } from '#entitlements';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { Plans } from '../components/plans.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

/** What each benefit is to a reader. A new benefit does not compile until it is described here. */
const BENEFITS: Readonly<
  Record<Benefit, { readonly name: string; readonly says: string; readonly follows?: true }>
> = {
  reading: { name: 'Every story', says: 'Read without counting, from the first line to the last.' },
  premium: {
    name: 'Exclusive stories',
    says: 'Reporting and analysis for subscribers alone, picked by our editors every day.',
  },
  'ad-free': { name: 'No advertisements', says: 'Not one, and no advertiser’s script on the page.' },
  newsletters: {
    name: 'Newsletters',
    says: 'Markets, politics, technology and more, by people who cover them.',
    follows: true,
  },
  epaper: {
    name: 'The e-paper',
    says: 'The printed page as it was set, to read, save and share.',
    follows: true,
  },
  archive: {
    name: 'The archive',
    says: 'Every story and edition we have published, to search.',
    follows: true,
  },
  investor: { name: 'For investors', says: 'Market analysis in depth, and what it means.', follows: true },
};

/** The plans, what they include and what people ask before they pay. */
export function renderSubscribe({ frame, chosen }: { frame: Frame; chosen?: string }): string {
  const { paper, plans } = frame;
  const benefits = new Set(plans.flatMap((plan) => plan.benefits));
  const now = [...benefits].filter((benefit) => BENEFITS[benefit].follows === undefined);
  const later = [...benefits].filter((benefit) => BENEFITS[benefit].follows === true);
  return documentText(
    <Layout
      frame={frame}
      title="Subscribe"
      path={PATHS.subscribe}
      description={`Read all of ${paper.name}: the plans, what they include and what they cost.`}
    >
      <div class="wrap subscribe">
        <header class="page-head">
          <h1 class="page-title">Read all of {paper.name}</h1>
          <p class="page-standfirst">
            A subscription pays for reporters, editors and the time they need. Every plan includes the same;
            they differ in how long they run.
          </p>
        </header>
        {plans.length === 0 ? (
          <p class="empty-list">No plan is on sale at the moment.</p>
        ) : (
          <Plans
            frame={frame}
            level={2}
            chosen={plans.some(({ slug }) => slug === chosen) ? chosen : undefined}
          />
        )}
        <Opening frame={frame} />
        <div class="subscribe-columns">
          <section aria-labelledby="included">
            <h2 id="included" class="strip-title">
              What every plan includes
            </h2>
            <BenefitList benefits={now} />
            {later.length > 0 && (
              <>
                <h3 class="label">And, as each opens</h3>
                <BenefitList benefits={later} />
              </>
            )}
          </section>
          <Questions frame={frame} />
        </div>
      </div>
    </Layout>,
  );
}

/** Buying arrives with the next release, and a page that cannot sell has to say so. */
function Opening({ frame }: { frame: Frame }) {
  const { contactEmail } = frame.paper;
  return (
    <p class="subscribe-opening">
      <strong>Subscriptions open shortly.</strong> They cannot be bought on this page yet
      {contactEmail === '' ? (
        '.'
      ) : (
        <>
          : to hear when they can, write to <a href={`mailto:${contactEmail}`}>{contactEmail}</a>.
        </>
      )}
    </p>
  );
}

function BenefitList({ benefits }: { benefits: readonly Benefit[] }) {
  return (
    <dl class="benefits">
      {benefits.map((benefit) => (
        <div>
          <dt>{BENEFITS[benefit].name}</dt>
          <dd>{BENEFITS[benefit].says}</dd>
        </div>
      ))}
    </dl>
  );
}

function Questions({ frame }: { frame: Frame }) {
  return (
    <section aria-labelledby="questions">
      <h2 id="questions" class="strip-title">
        Questions, answered
      </h2>
      <dl class="questions">
        <div>
          <dt>Does it renew?</dt>
          <dd>Yes, by itself, at the end of each term and for the same length, until you cancel.</dd>
        </div>
        <div>
          <dt>Can I cancel?</dt>
          <dd>
            At any time. You keep what you have paid for until the term ends, and nothing is charged after it.
          </dd>
        </div>
        <div>
          <dt>Is that the whole price?</dt>
          <dd>Yes: tax is included. The price a month is the total divided by the months, rounded down.</dd>
        </div>
        <div>
          <dt>On how many devices?</dt>
          <dd>Phone, tablet and computer: one account, the same access everywhere.</dd>
        </div>
        <div>
          <dt>Can I read without subscribing?</dt>
          <dd>
            Yes: {frame.freeStories} {frame.freeStories === 1 ? 'story' : 'stories'} each calendar month, and
            some stories are free for everybody. <a href={PATHS.meter}>See where you stand</a>
          </dd>
        </div>
      </dl>
    </section>
  );
}

type Grouping = { readonly most: number; readonly inFlight: number; readonly apart?: boolean };

/**
 * Groups calls that many requests make at the same time into one. While a group is under way the next one gathers, so
 * a group is as large as the load needs it to be, and a lone call waits for nobody.
 *
 * @param work answers one group: a result for each question, in the questions' order
 * @param options.most the largest group
 * @param options.inFlight how many groups may be under way at once
 * @param options.apart a group that fails is worked on again, each question by itself: what one of them breaks concerns
 *   it alone. For work that leaves nothing behind where it fails.
 * @returns a function that asks one question; it fails when its group fails, or when it does by itself
 */
export function grouped<Question, Result>(
  work: (questions: Question[]) => Promise<Result[]>,
  options: Grouping,
): (question: Question) => Promise<Result> {
  type Waiting = { question: Question; resolve: (result: Result) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let underWay = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || waiting.length === 0 || underWay >= options.inFlight) return;
    scheduled = true;
    // After the sockets that are ready in this turn of the event loop were read: their requests join the group.
    setImmediate(() => {
      scheduled = false;
      void run();
    });
  }

  async function run(): Promise<void> {
    const group = waiting.slice(0, options.most);
    waiting = waiting.slice(options.most);
    if (group.length === 0) return;
    underWay++;
    schedule();
    try {
      const results = await work(group.map((one) => one.question));
      group.forEach((one, at) => {
        one.resolve(results[at] as Result);
      });
    } catch (error) {
      if (options.apart === true && group.length > 1) await eachApart(group);
      else for (const one of group) one.reject(error);
    } finally {
      underWay--;
      schedule();
    }
  }

  async function eachApart(group: readonly Waiting[]): Promise<void> {
    for (const one of group) {
      await work([one.question]).then(([result]) => one.resolve(result as Result), one.reject);
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      schedule();
    });
}

/**
 * Lists of which none holds two with one key: for a group in which each is worked on with what the one before it of its
 * key has left.
 *
 * @returns the first of each key, then the second of each, and so on
 */
export function oneOfEach<One>(all: readonly One[], keyOf: (one: One) => string): One[][] {
  const lists: One[][] = [];
  const seen = new Map<string, number>();
  for (const one of all) {
    const before = seen.get(keyOf(one)) ?? 0;
    seen.set(keyOf(one), before + 1);
    lists[before] ??= [];
    lists[before].push(one);
  }
  return lists;
}

/**
 * The same for work on a database: callers name theirs, and those that name the same one are grouped.
 *
 * @returns a function that asks one question of one database
 */
export function groupedOver<On extends object, Question, Result>(
  work: (on: On, questions: Question[]) => Promise<Result[]>,
  options: Grouping,
): (on: On, question: Question) => Promise<Result> {
  const groups = new WeakMap<On, (question: Question) => Promise<Result>>();
  return (on, question) => {
    let ask = groups.get(on);
    if (ask === undefined) {
      ask = grouped((questions) => work(on, questions), options);
      groups.set(on, ask);
    }
    return ask(question);
  };
}

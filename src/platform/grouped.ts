/**
 * Groups calls that many requests make at the same time into one. While a group is under way the next one gathers, so
 * a group is as large as the load needs it to be, and a lone call waits for nobody.
 *
 * @param work answers one group: a result for each question, in the questions' order
 * @param options.most the largest group
 * @param options.inFlight how many groups may be under way at once
 * @returns a function that asks one question; it fails when its group fails
 */
export function grouped<Question, Result>(
  work: (questions: Question[]) => Promise<Result[]>,
  options: { most: number; inFlight: number },
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
      for (const one of group) one.reject(error);
    } finally {
      underWay--;
      schedule();
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      schedule();
    });
}

/**
 * The same for work on a database: callers name theirs, and those that name the same one are grouped.
 *
 * @returns a function that asks one question of one database
 */
export function groupedOver<On extends object, Question, Result>(
  work: (on: On, questions: Question[]) => Promise<Result[]>,
  options: { most: number; inFlight: number },
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

// Runs before the modules are there: asks at once for what the place in the address will need, its modules and its first
// answers, which would otherwise be asked for one after the other (index.html names the modules that every place needs). What
// stands here changes how soon a place is seen and nothing else; tests/web/ holds the lists to the imports and to what is asked for.
{
  const needs = {
    jobs: ['format.js', 'places/jobs.js', 'sparkline.js', 'state.js'],
    job: [
      'chart.js',
      'color.js',
      'format.js',
      'heatmap.js',
      'job/curves.js',
      'job/header.js',
      'job/table.js',
      'lib/uplot/uPlot.esm.js',
      'places/job.js',
      'series.js',
      'state.js',
    ],
  };
  const [path, query] = (location.hash.slice(1) || '/jobs').split('?');
  const job = /^\/jobs\/(job_\w+)$/.exec(path)?.[1];
  globalThis.early = new Map();
  if (job) {
    const address = `/v1/jobs/${job}`;
    early.set(
      address,
      ask(address).then(async (answer) => {
        const { plan } = await answer.clone().json();
        const few = (plan?.layers.length ?? 0) <= 12;
        ask(`${address}/gradients?series=gradient_norm&points=${few ? '500&single=true' : '200&single=true&peaks=true'}`);
        return answer;
      }),
    );
    early.get(address).catch(() => {});
    ask(`${address}/metrics?points=500&single=true`);
  } else if (path === '/jobs' && !/(^|&)(status|tag)=/.test(query ?? '')) ask('/v1/jobs?limit=200&brief=true');
  preload(needs[job ? 'job' : path.slice(1)] ?? []);
  if (languageIs('ja')) preload(['languages/ja.js']); // last, as the browser may have to wait for what is stored

  function preload(modules) {
    for (const module of modules) {
      const link = document.createElement('link');
      link.rel = 'modulepreload';
      link.href = module;
      document.head.append(link);
    }
  }
  function ask(address) {
    const answer = fetch(address, { headers: { Accept: 'application/json' } });
    answer.catch(() => {}); // whoever takes it says so
    early.set(address, answer);
    return answer;
  }
  function languageIs(tag) {
    try {
      return (localStorage.getItem('backpropd-language') ?? navigator.language).startsWith(tag);
    } catch {
      return false;
    }
  }
}

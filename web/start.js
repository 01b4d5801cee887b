// Runs before the page's modules are there: asks at once for what the place in the address will need, its modules and its
// first answers, which would otherwise be asked for one after the other. What is listed here changes how soon a place is seen and
// nothing else; tests/web/parts.test.mjs holds the lists to the imports.
{
  const frame = ['api.js', 'app.js', 'dom.js', 'keys.js', 'language.js'];
  const needs = {
    jobs: ['format.js', 'places/jobs.js', 'sparkline.js', 'state.js'],
    job: [
      'chart.js',
      'color.js',
      'differences.js',
      'format.js',
      'heatmap.js',
      'job/curves.js',
      'job/data.js',
      'job/findings.js',
      'job/header.js',
      'job/layers.js',
      'job/net.js',
      'job/range.js',
      'lib/uplot/uPlot.esm.js',
      'places/job.js',
      'pretty.js',
      'profile.js',
      'series.js',
      'state.js',
      'trace_steps.js',
    ],
  };
  const [path, query] = (location.hash.slice(1) || '/jobs').split('?');
  const job = /^\/jobs\/(job_\w+)$/.exec(path)?.[1];
  const answers = job
    ? [`/v1/jobs/${job}`, `/v1/jobs/${job}/metrics?points=500&single=true`]
    : path === '/jobs' && !/(^|&)(status|tag)=/.test(query ?? '')
      ? ['/v1/jobs?limit=200&brief=true']
      : [];
  globalThis.early = new Map(answers.map((answer) => [answer, fetch(answer, { headers: { Accept: 'application/json' } })]));
  for (const answer of early.values()) answer.catch(() => {}); // whoever takes it says so
  if (languageIs('ja')) frame.push('languages/ja.js');
  for (const module of [...frame, ...(needs[job ? 'job' : path.slice(1)] ?? [])]) {
    const link = document.createElement('link');
    link.rel = 'modulepreload';
    link.href = module;
    document.head.append(link);
  }
  function languageIs(tag) {
    try {
      return (localStorage.getItem('backpropd-language') ?? navigator.language).startsWith(tag);
    } catch {
      return false;
    }
  }
}

// The rival in serving: ONNX Runtime behind Node's own HTTP server, {"inputs": [[…784…]]} → {"probabilities": [[…10…]]}.
//   NODE_MODULES=FOLDER node ort_server.mjs MODEL.onnx PORT PROCESSES
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [model, port, processes] = process.argv.slice(2);

async function serve() {
  const { InferenceSession, Tensor } = createRequire(process.env.NODE_MODULES + '/')('onnxruntime-node');
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const answer = async (text) => {
    const { inputs } = JSON.parse(text);
    const x = new Tensor('float32', Float32Array.from(inputs.flat()), [inputs.length, inputs[0].length]);
    const { y } = await session.run({ x });
    const width = y.dims[1];
    return JSON.stringify({ probabilities: inputs.map((_, i) => Array.from(y.data.subarray(i * width, (i + 1) * width))) });
  };
  createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const body = await answer(Buffer.concat(chunks).toString());
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
    });
  }).listen(Number(port), '127.0.0.1');
}

if (cluster.isPrimary && Number(processes) > 1) {
  for (let i = 0; i < Number(processes); i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    process.exit(0);
  });
} else {
  await serve();
}

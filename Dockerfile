# A worker beside Kafka and a ClickHouse server, without the embedded engine.
#
#   docker build --tag haldane:0.1.0 .
#   docker run --rm haldane:0.1.0 --help

# Debian, as MALLOC_ARENA_MAX below is understood by its C library only.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# With the optional packages: the compiler reads their types. They stay in this stage.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM ${NODE_IMAGE} AS packages
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM ${NODE_IMAGE}
# Two arenas instead of eight per core keep freed memory together.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=packages /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY package.json LICENSE CHANGELOG.md ./
COPY migrations ./migrations
COPY schemas ./schemas
# Files belong to root, so that the process cannot change its own program.
USER node
EXPOSE 7625
# Alive, not ready: a broker that is away is no reason to restart the worker.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HALDANE_HTTP_PORT || 7625}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["worker"]

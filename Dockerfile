# One image for web, worker and beat; docker-compose.yml says what each of them runs.
FROM python:3.12-slim-bookworm AS build
ENV UV_PROJECT_ENVIRONMENT=/venv UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN python -m venv /boot && /boot/bin/pip install --no-cache-dir "uv>=0.13,<1"
WORKDIR /hub
COPY pyproject.toml uv.lock ./
# Neither the embedded servers nor the development tools; the drivers that .env asks for.
ARG SQL_EXTRAS=""
RUN /boot/bin/uv sync --frozen --no-default-groups --python /usr/local/bin/python \
    $(for extra in $SQL_EXTRAS; do printf ' --extra %s' "$extra"; done)
COPY . .
# These secrets live for one command: they sign nothing and are in no layer.
RUN SECRET_KEY=build SECRET_KEYS= DATABASE_URL=postgres://none/none REDIS_URL=redis://none STATIC_ROOT=/static \
    sh -c '/venv/bin/python manage.py compile_locale && /venv/bin/python manage.py collectstatic --no-input'

FROM python:3.12-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=hub.settings STATIC_ROOT=/static HOME=/tmp
RUN groupadd --gid 10001 hub && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin hub
COPY --from=build /venv /venv
COPY --from=build /static /static
COPY --from=build /hub /hub
WORKDIR /hub
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "hub.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "4", \
     "--preload", "--max-requests", "2000", "--max-requests-jitter", "200", "--worker-tmp-dir", "/dev/shm", \
     "--no-control-socket", "--access-logfile", "-", "--logger-class", "hub.core.access.AccessLogger"]

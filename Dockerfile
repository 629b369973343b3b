# The main job, and drawing without a display: docker build -t taskworlds . && docker run --rm taskworlds evaluate MT10
FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source

FROM python:3.12-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri && rm -rf /var/lib/apt/lists/*
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(ls /wheels/*.whl)[control,report]" && rm -rf /wheels && useradd --create-home user
USER user
WORKDIR /home/user
ENV MUJOCO_GL=egl
ENTRYPOINT ["taskworlds"]
CMD ["doctor"]

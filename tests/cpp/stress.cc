// Drives the engine without Python, hard, and checks what it does: for sanitizers (.ci/sanitize), and for a debugger.
// Prints what it checked and ends with 0, or names the first check that failed and ends with 1.

#include <mujoco/mujoco.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "bare_loop.h"
#include "engine.h"
#include "model.h"
#include "scene.h"

namespace {

using namespace taskworlds;

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::_Exit(1);                                                               \
    }                                                                              \
  } while (false)

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Boxes that fall on a plane. With little memory MuJoCo raises an error as soon as they touch it.
std::string boxes_xml(int count, int memory) {
  std::string xml = "<mujoco><size memory=\"" + std::to_string(memory) + "\"/><worldbody>";
  xml += "<geom name=\"floor\" type=\"plane\" size=\"5 5 1\"/>";
  for (int i = 0; i < count; ++i) {
    xml += "<body pos=\"" + std::to_string(i) + " 0 0.09\"><freejoint/><geom type=\"box\" size=\"0.1 0.1 0.1\"/></body>";
  }
  return xml + "</worldbody></mujoco>";
}

// An arm that a mocap body pulls, with motors, a sensor and a site.
std::string arm_xml(double mass, bool forearm, const char* integrator) {
  const std::string weight = " mass=\"" + std::to_string(mass) + "\"/>";
  std::string xml = std::string("<mujoco><option integrator=\"") + integrator + "\"/><worldbody>";
  xml += "<geom name=\"floor\" type=\"plane\" size=\"5 5 1\"/><body name=\"lead\" mocap=\"true\" pos=\"0.5 0 0.6\"/>";
  xml += "<site name=\"mark\" pos=\"0 0 1\"/>";
  xml += "<body name=\"arm\" pos=\"0 0 0.5\"><joint name=\"hinge\" axis=\"0 1 0\"/><site name=\"tip\" pos=\"0.5 0 0\"/>";
  xml += "<geom name=\"bar\" type=\"capsule\" size=\"0.05\" fromto=\"0 0 0 0.5 0 0\"" + weight;
  if (forearm) {
    xml += "<body pos=\"0.5 0 0\"><joint axis=\"0 1 0\"/>";
    xml += "<geom type=\"capsule\" size=\"0.05\" fromto=\"0 0 0 0.5 0 0\"" + weight + "</body>";
  }
  xml += "</body></worldbody><equality><connect body1=\"lead\" body2=\"arm\" anchor=\"0 0 0\" solref=\"0.1 1\"/></equality>";
  xml += "<actuator><motor joint=\"hinge\" gear=\"3\"/></actuator>";
  return xml + "<sensor><touch site=\"tip\"/><framepos objtype=\"site\" objname=\"tip\"/></sensor></mujoco>";
}

std::shared_ptr<const Model> compile(const std::string& xml) {
  mjVFS files;
  mj_defaultVFS(&files);
  CHECK(mj_addBufferVFS(&files, "model.xml", xml.data(), static_cast<int>(xml.size())) == 0);
  char error[1000] = "";
  mjModel* const model = mj_loadXML("model.xml", &files, error, sizeof error);
  mj_deleteVFS(&files);
  if (model == nullptr) std::fprintf(stderr, "%s\n", error);
  CHECK(model != nullptr);
  std::vector<char> bytes(static_cast<std::size_t>(mj_sizeModel(model)));
  mj_saveModel(model, nullptr, bytes.data(), static_cast<int>(bytes.size()));
  mj_deleteModel(model);
  return std::make_shared<const Model>(bytes.data(), bytes.size());
}

std::shared_ptr<const Scene> boxes_scene(int count, int memory, int frame_skip = 2) {
  return std::make_shared<const Scene>(compile(boxes_xml(count, memory)), frame_skip, Stepping::forward, std::nullopt,
                                       std::vector<ActuatorControl>{}, std::vector<Override>{{Field::body_pos, 0}},
                                       std::vector<Read>{{Source::touch, 0, 1}, {Source::body_cfrc_ext, 1}});
}

std::shared_ptr<const Scene> arm_scene(double mass, bool forearm, Stepping stepping, const char* integrator = "Euler") {
  const MocapControl lead{0, 0, 1, 0.01, {-1, -1, 0}, {1, 1, 1}, {1, 0, 0, 0}};
  std::vector<Read> reads{{Source::qpos}, {Source::sensordata, 1}, {Source::sensordata}, {Source::body_xmat, 1}};
  if (stepping != Stepping::split) reads.push_back({Source::body_cfrc_ext});
  return std::make_shared<const Scene>(compile(arm_xml(mass, forearm, integrator)), 3, stepping, lead,
                                       std::vector<ActuatorControl>{{0, 3, 1.5}},
                                       std::vector<Override>{{Field::site_pos, 0}, {Field::body_quat, 2}}, reads);
}

// The scenes that the script moves among; compiled once.
const std::vector<std::shared_ptr<const Scene>>& scenes() {
  static const std::vector<std::shared_ptr<const Scene>> all = {
      boxes_scene(4, 1'000'000),
      arm_scene(1, false, Stepping::forward),
      arm_scene(2, false, Stepping::forward),
      arm_scene(1, true, Stepping::step),
      arm_scene(3, true, Stepping::split),
      arm_scene(1, true, Stepping::split, "RK4"),
      boxes_scene(6, 122'500),
      boxes_scene(6, 1'000'000),
      arm_scene(2, true, Stepping::step, "implicitfast"),
  };
  return all;
}
constexpr int kTooSmall = 6;

template <int factor>
void kernel(const double* now, const double* action, const double* params, double* memory, double* obs, double* terms,
            std::int64_t single) {
  memory[0] = memory[0] * 0.5 + now[0];
  memory[1] += static_cast<double>(single);
  obs[0] = factor * now[0] + action[0] + params[0];
  obs[1] = memory[0];
  terms[0] = memory[1];
}

constexpr Sizes kSizes{120, 4, 1, 2, 2, 1, 0, 0, 0};

std::unique_ptr<Engine> make_engine(int threads, const Sizes& sizes = kSizes) {
  return std::make_unique<Engine>(scenes(), std::vector<Kernel>{kernel<1>, kernel<2>}, sizes, threads);
}

// The row's scene with the model's own overrides and initial state.
void place(Engine& engine, int row, int index, const Scene& scene) {
  mjData* const data = mj_makeData(&scene.model());
  mj_getState(&scene.model(), data, engine.states.row(row), mjSTATE_INTEGRATION);
  mj_deleteData(data);
  const std::vector<double> values = scene.default_overrides();
  std::copy(values.begin(), values.end(), engine.overrides.row(row));
  engine.scene_of_row[static_cast<std::size_t>(row)] = index;
}

std::atomic<int> patience{0};  // how often `interrupted` says no before it says yes; below zero: it never does
bool interrupted() { return patience.load() >= 0 && patience.fetch_sub(1) <= 0; }
bool never() { return false; }

enum class How { run, launch };

template <typename T>
bool step(Engine& engine, const std::vector<T>& actions, const bool* mask, How how, Pool::Interrupted asked = never) {
  bool complete;
  if (how == How::run) {
    complete = engine.begin(actions.data(), mask).finish(asked);
  } else {
    engine.begin(actions.data(), mask).launch();
    CHECK(engine.pending());
    complete = engine.join().finish(asked);
  }
  CHECK(!engine.pending());
  return complete;
}

template <typename T>
void throws(const std::function<void()>& body) {
  bool thrown = false;
  try {
    body();
  } catch (const T&) {
    thrown = true;
  }
  CHECK(thrown);
}

struct Mask {
  explicit Mask(int rows) : bits(new bool[static_cast<std::size_t>(rows)]) {}
  std::unique_ptr<bool[]> bits;
};

// Everything that a run of the script left, bit by bit.
struct Record {
  std::vector<double> numbers;
  std::vector<std::int32_t> faults;

  void add(const Engine& engine) {
    for (const auto* values : {&engine.states, &engine.now, &engine.memory, &engine.obs, &engine.terms}) {
      numbers.insert(numbers.end(), values->data.begin(), values->data.end());
    }
    faults.insert(faults.end(), engine.faults.begin(), engine.faults.end());
    faults.insert(faults.end(), engine.warnings.data.begin(), engine.warnings.data.end());
  }
  bool operator==(const Record& other) const {
    return faults == other.faults && numbers.size() == other.numbers.size() &&
           std::memcmp(numbers.data(), other.numbers.data(), numbers.size() * sizeof(double)) == 0;
  }
};

// Steps of random rows with random actions, bad numbers among them; rows and scenes are exchanged in between. The script is
// the same for every number of threads and both ways to run, and so must the record be.
Record run_script(int threads, How how, int steps) {
  std::mt19937 random(7);
  const auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const std::unique_ptr<Engine> engine = make_engine(threads);
  std::vector<std::shared_ptr<const Scene>> current = scenes();
  const int rows = kSizes.rows;
  for (int row = 0; row < rows; ++row) {
    const auto index = static_cast<std::size_t>(row) % current.size();
    place(*engine, row, static_cast<int>(index), *current[index]);
    engine->kernel_of_row[static_cast<std::size_t>(row)] = row % 3 - 1;
    engine->params.row(row)[0] = row;
  }
  const Mask mask(rows);
  std::vector<double> actions(static_cast<std::size_t>(rows * kSizes.actions));
  Record record;
  for (int t = 0; t < steps; ++t) {
    for (double& a : actions) a = 1e-3 * (below(3001) - 1500);
    if (below(4) == 0) actions[static_cast<std::size_t>(below(rows * kSizes.actions))] = kNan;
    if (below(4) == 0) actions[static_cast<std::size_t>(below(rows * kSizes.actions))] = 1e300;
    if (below(4) == 0) engine->states.data[static_cast<std::size_t>(below(rows * engine->states.width))] = kNan;
    if (below(4) == 0) engine->states.data[static_cast<std::size_t>(below(rows * engine->states.width))] = 1e200;
    const bool all = below(3) == 0;
    for (int row = 0; row < rows; ++row) mask.bits[static_cast<std::size_t>(row)] = below(3) != 0;
    const bool* const bits = all ? nullptr : mask.bits.get();
    if (below(2) == 0) {
      CHECK(step(*engine, std::vector<float>(actions.begin(), actions.end()), bits, how));
    } else {
      CHECK(step(*engine, actions, bits, how));
    }
    for (int row = 0; row < rows; ++row) {
      const auto r = static_cast<std::size_t>(row);
      CHECK((engine->faults[r] & kNotStepped) == 0);
      if (!all && !mask.bits[r]) CHECK(engine->faults[r] == 0);
      if ((engine->faults[r] & kError) != 0) CHECK(!engine->error(row).empty());
    }
    record.add(*engine);
    if (below(3) == 0) {  // back to the beginning, perhaps of another scene
      const int row = below(rows), index = below(static_cast<int>(current.size()));
      place(*engine, row, index, *current[static_cast<std::size_t>(index)]);
    }
    if (below(3) == 0) {  // an exchanged scene, and its rows begin again
      const int index = below(static_cast<int>(current.size()) + (current.size() < 14 ? 1 : 0));
      const auto scene = scenes()[static_cast<std::size_t>(below(static_cast<int>(scenes().size())))];
      engine->set_scene(index, scene);
      if (index == static_cast<int>(current.size())) current.push_back(scene);
      current[static_cast<std::size_t>(index)] = scene;
      for (int row = 0; row < rows; ++row) {
        if (engine->scene_of_row[static_cast<std::size_t>(row)] == index) place(*engine, row, index, *scene);
      }
    }
    if (below(5) == 0) engine->set_kernel(below(2), below(2) == 0 ? kernel<1> : kernel<3>);
    if (below(5) == 0) {
      CHECK(engine->begin_forward(bits, below(2) == 0).finish(never));
      record.add(*engine);
    }
  }
  return record;
}

void check_threads_change_nothing(int steps) {
  const Record alone = run_script(1, How::run, steps);
  bool errors = false, warned = false;
  for (const std::int32_t fault : alone.faults) {
    errors = errors || (fault & kError) != 0;
    warned = warned || (fault & (1 << mjWARN_BADQPOS)) != 0;
  }
  CHECK(errors && warned);
  for (const int threads : {1, 2, 3, 4, 16}) {
    for (const How how : {How::run, How::launch}) CHECK(run_script(threads, how, steps) == alone);
    std::printf("threads: %d equal 1\n", threads);
  }
}

void check_two_engines_in_two_threads(int steps) {
  const Record alone = run_script(1, How::run, steps);
  Record records[2];
  std::thread one([&] { records[0] = run_script(2, How::run, steps); });
  std::thread two([&] { records[1] = run_script(3, How::launch, steps); });
  one.join();
  two.join();
  CHECK(records[0] == alone && records[1] == alone);
  std::printf("two engines in two threads\n");
}

// A step so long that it is asked whether to stop.
std::unique_ptr<Engine> slow_engine(int threads, int rows) {
  static const std::shared_ptr<const Scene> scene = boxes_scene(4, 1'000'000, 60);
  Sizes sizes = kSizes;
  sizes.rows = rows;
  auto engine = std::make_unique<Engine>(std::vector<std::shared_ptr<const Scene>>{scene}, std::vector<Kernel>{kernel<1>},
                                         sizes, threads);
  for (int row = 0; row < rows; ++row) place(*engine, row, 0, *scene);
  return engine;
}

constexpr int kSlowRows = 200;

void check_interrupts() {
  const std::vector<double> actions(static_cast<std::size_t>(kSlowRows * kSizes.actions));
  const auto stepped = slow_engine(1, kSlowRows);
  CHECK(step(*stepped, actions, nullptr, How::run));
  for (int threads = 1; threads <= 4; ++threads) {
    for (const How how : {How::run, How::launch}) {
      const auto engine = slow_engine(threads, kSlowRows);
      const auto before = engine->states.data;
      patience = 0;
      const bool complete = step(*engine, actions, nullptr, how, interrupted);
      patience = -1;
      const auto width = static_cast<std::size_t>(engine->states.width);
      int dropped = 0;
      for (std::size_t row = 0; row < kSlowRows; ++row) {
        const bool left_out = engine->faults[row] == kNotStepped;
        dropped += left_out ? 1 : 0;
        const auto& expected = left_out ? before : stepped->states.data;
        CHECK(std::memcmp(engine->states.data.data() + row * width, expected.data() + row * width, width * sizeof(double)) ==
              0);
      }
      CHECK(complete == (dropped == 0));
      // The rest, later: no row may be lost or stepped twice.
      const Mask rest(kSlowRows);
      for (std::size_t row = 0; row < kSlowRows; ++row) rest.bits[row] = engine->faults[row] == kNotStepped;
      CHECK(step(*engine, actions, rest.bits.get(), how));
      CHECK(engine->states.data == stepped->states.data);
      std::printf("interrupted with %d threads: %d of %d rows dropped\n", threads, dropped, kSlowRows);
    }
  }
}

void check_close() {
  const std::vector<double> actions(static_cast<std::size_t>(kSlowRows * kSizes.actions));
  for (int threads = 1; threads <= 4; ++threads) {
    {  // while launched, by name and by going away
      const auto engine = slow_engine(threads, kSlowRows);
      engine->begin(actions.data(), nullptr).launch();
      throws<std::logic_error>([&] { engine->set_scene(0, scenes()[0]); });
      throws<std::logic_error>([&] { engine->begin_forward(nullptr, false); });
      engine->close();
      CHECK(!engine->pending());
      throws<std::logic_error>([&] { engine->begin(actions.data(), nullptr); });
      throws<std::logic_error>([&] { engine->set_kernel(0, kernel<1>); });
      engine->close();
      const auto other = slow_engine(threads, kSlowRows);
      other->begin(actions.data(), nullptr).launch();
    }
    {  // a step that nobody finishes, before and after it was launched
      const auto engine = slow_engine(threads, kSlowRows);
      const auto before = engine->states.data;
      {
        const Engine::Step dropped = engine->begin(actions.data(), nullptr);
      }
      CHECK(!engine->pending() && engine->states.data == before);
      engine->begin(actions.data(), nullptr).launch();
      {
        const Engine::Step dropped = engine->join();
      }
      CHECK(!engine->pending());
      for (const std::int32_t fault : engine->faults) CHECK(fault == 0 || fault == kNotStepped);
      CHECK(step(*engine, actions, nullptr, How::run));
    }
    // While another thread is inside, as at the interpreter's exit.
    const auto engine = slow_engine(threads, kSlowRows);
    std::atomic<bool> begun{false};
    std::thread inside([&] {
      Engine::Step step = engine->begin(actions.data(), nullptr);
      begun = true;
      step.finish(never);
    });
    while (!begun) std::this_thread::yield();
    engine->close();
    inside.join();
  }
  std::printf("closed while launched and while running\n");
}

void check_wrong_arguments() {
  throws<std::invalid_argument>([] { Model("no model", 8); });
  throws<std::invalid_argument>([] { Engine({}, {}, kSizes, 1); });
  throws<std::invalid_argument>([] { Engine(scenes(), {}, kSizes, 0); });
  const auto engine = make_engine(2);
  const std::vector<double> actions(static_cast<std::size_t>(kSizes.rows * kSizes.actions));
  engine->scene_of_row[5] = 99;
  throws<std::invalid_argument>([&] { engine->begin(actions.data(), nullptr); });
  engine->scene_of_row[5] = 0;
  engine->kernel_of_row[5] = 2;
  throws<std::invalid_argument>([&] { engine->begin(actions.data(), nullptr); });
  throws<std::invalid_argument>([&] { engine->set_scene(-1, scenes()[0]); });
  throws<std::invalid_argument>([&] { engine->set_scene(0, boxes_scene(9, 1'000'000)); });
  throws<std::logic_error>([&] { engine->join(); });
  CHECK(!engine->pending());
  std::printf("wrong arguments\n");
}

// Threads that come and go while small jobs follow one another at once: where a wake-up could be lost.
void check_many_small_steps() {
  Sizes sizes = kSizes;
  const std::vector<double> actions(static_cast<std::size_t>(4 * kSizes.actions));
  sizes.rows = 4;
  for (int threads = 2; threads <= 4; ++threads) {
    const auto engine = make_engine(threads, sizes);
    for (int row = 0; row < sizes.rows; ++row) place(*engine, row, 1, *scenes()[1]);
    const bool none[4] = {false, false, false, false}, one[4] = {false, true, false, false};
    for (int t = 0; t < 1000; ++t) {
      const bool* const masks[] = {nullptr, none, one};
      CHECK(step(*engine, actions, masks[t % 3], t % 2 == 0 ? How::run : How::launch));
    }
  }
  std::printf("many small steps\n");
}

// A settling of boxes that fall, the first body of which stands elsewhere.
std::shared_ptr<Settling> settling_of(const Model& model, double x, int steps) {
  const mjModel& m = model.get();
  std::vector<double> places(m.body_pos, m.body_pos + 3 * m.nbody);
  places[3] = x;
  mjData* const data = mj_makeData(&m);
  std::vector<double> state(static_cast<std::size_t>(mj_stateSize(&m, mjSTATE_INTEGRATION)));
  mj_getState(&m, data, state.data(), mjSTATE_INTEGRATION);
  mj_deleteData(data);
  return std::make_shared<Settling>(model, places, std::vector<double>(m.site_pos, m.site_pos + 3 * m.nsite), state, steps);
}

// Settlings in spare time, in turns among the rows and at once, dropped and taken up again: always the same outcome. Engines
// go away in the middle of them.
void check_settling() {
  const auto model = compile(boxes_xml(3, 1'000'000)), bad = compile(boxes_xml(6, 122'500));
  Sizes sizes = kSizes;
  sizes.rows = 4;
  const std::vector<double> actions(static_cast<std::size_t>(sizes.rows * kSizes.actions));
  std::vector<std::vector<double>> expected;
  for (int threads = 1; threads <= 4; ++threads) {
    const auto engine = make_engine(threads, sizes);
    for (int row = 0; row < sizes.rows; ++row) place(*engine, row, 1, *scenes()[1]);
    CHECK(step(*engine, actions, nullptr, How::run));
    for (int round = 0; round < 30; ++round) {
      std::vector<std::shared_ptr<Settling>> all;
      for (int k = 0; k < 8; ++k) all.push_back(settling_of(*model, 0.1 * k, 60));
      all.push_back(settling_of(*bad, 0.1, 60));
      for (const auto& each : all) engine->settle_ahead(each, each == all.back() ? bad : model);
      engine->begin(actions.data(), nullptr, round).launch(round % 2 == 0);
      engine->drop_settling(all[static_cast<std::size_t>(round % 9)].get());
      CHECK(engine->join().finish(never));
      CHECK(engine->begin_settling(all).finish(never));
      for (std::size_t k = 0; k < 8; ++k) {
        CHECK(all[k]->done() && all[k]->error().empty());
        if (expected.size() <= k) expected.push_back(all[k]->state());
        CHECK(all[k]->state() == expected[k]);
      }
      CHECK(all[8]->done() && !all[8]->error().empty());
    }
    for (int k = 0; k < 3; ++k) engine->settle_ahead(settling_of(*model, 0.1 * k, 1'000'000'000), model);
    if (threads % 2 == 0) engine->close();
  }
  std::printf("settling\n");
}

// The bare loop ends where the engine does, on any number of threads; an error of MuJoCo ends it, and nothing else.
void check_bare_loop() {
  const int steps = 20;
  const auto engine = make_engine(2);
  const auto width = static_cast<std::size_t>(kSizes.rows * kSizes.actions);
  std::vector<double> actions(width * steps);
  for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = std::sin(static_cast<double>(i));
  const auto place_all = [&](int but) {
    const int count = static_cast<int>(scenes().size());
    for (int row = 0, index = 0; row < kSizes.rows; ++row, index = (index + 1) % count) {
      if (index == but) ++index;
      place(*engine, row, index, *scenes()[static_cast<std::size_t>(index)]);
    }
  };
  place_all(kTooSmall);
  std::vector<std::vector<double>> ends;
  for (int threads = 1; threads <= 4; ++threads) {
    BareLoop loop(*engine, threads);
    loop.run(actions, steps, false);
    ends.push_back(loop.states());
  }
  for (int t = 0; t < steps; ++t) {
    const auto begin = actions.begin() + static_cast<std::ptrdiff_t>(width) * t;
    CHECK(step(*engine, std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(width)), nullptr, How::run));
  }
  for (const std::vector<double>& end : ends) {
    CHECK(std::equal(end.begin(), end.end(), engine->states.data.begin(), engine->states.data.end()));
  }
  place_all(-1);
  throws<std::runtime_error>([&] {
    BareLoop loop(*engine, 3);
    for (int t = 0; t < 10; ++t) loop.run(actions, steps, true);
  });
  throws<std::invalid_argument>([&] { BareLoop(*engine, 0); });
  std::printf("bare loop\n");
}

std::vector<int> first_rows(int count) {
  std::vector<int> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<int> receive(Engine& engine, int count, Pool::Interrupted asked) {
  std::vector<int> rows;
  for (const RowStream::Taken& each : Engine::receive({&engine}, count, asked)) rows.push_back(each.row);
  return rows;
}

// Rows that are sent and received in any order, others reset and the threads used for something else in between: each ends
// where whole steps lead it.
void check_streams(int steps) {
  const int rows = kSizes.rows, width = kSizes.actions;
  std::vector<double> actions(static_cast<std::size_t>(rows * width));
  for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = 1e-3 * static_cast<double>(i % 2001) - 1;
  const auto whole = make_engine(1);
  const auto place_all = [&](Engine& engine) {
    for (int row = 0; row < rows; ++row) {
      const int index = row % kTooSmall;
      place(engine, row, index, *scenes()[static_cast<std::size_t>(index)]);
      engine.kernel_of_row[static_cast<std::size_t>(row)] = row % 2;
    }
  };
  place_all(*whole);
  for (int t = 0; t < steps; ++t) CHECK(step(*whole, actions, nullptr, How::run));
  for (const int threads : {1, 2, 3, 16}) {
    const auto engine = make_engine(threads);
    place_all(*engine);
    throws<std::logic_error>([&] { receive(*engine, 1, never); });
    std::vector<int> taken(static_cast<std::size_t>(rows));
    const std::vector<int> all = first_rows(rows);
    throws<std::invalid_argument>([&] { engine->send(actions.data(), {3, 3}); });
    throws<std::invalid_argument>([&] { engine->send(actions.data(), {rows}); });
    engine->send(actions.data(), all);
    throws<std::logic_error>([&] { engine->send(actions.data(), {3}); });
    for (int left = rows * steps, turn = 0; left > 0; ++turn) {
      const std::vector<int> done = receive(*engine, 7, never);
      left -= static_cast<int>(done.size());
      if (turn % 5 == 0) engine->set_kernel(2, kernel<3>);  // waits for all
      for (const int row : done) {
        CHECK(engine->faults[static_cast<std::size_t>(row)] == 0);
        if (++taken[static_cast<std::size_t>(row)] < steps) engine->send(actions.data() + row * width, {row});
      }
    }
    CHECK(engine->under_way() == 0 && !engine->pending());
    CHECK(engine->states.data == whole->states.data && engine->terms.data == whole->terms.data);
    engine->send(actions.data(), all);
    if (threads > 1) engine->close();  // else the destructor does it
  }
  const auto slow = slow_engine(2, kSlowRows);
  slow->send(std::vector<double>(static_cast<std::size_t>(kSlowRows * width)).data(), first_rows(kSlowRows));
  patience = 0;
  CHECK(receive(*slow, kSlowRows, interrupted).empty());  // all are under way still
  CHECK(slow->under_way() == kSlowRows);
  std::thread closer([&] {
    while (!slow->running()) std::this_thread::yield();
    slow->close();
  });
  bool closed = false;
  try {
    receive(*slow, kSlowRows, never);
  } catch (const std::logic_error&) {
    closed = true;
  }
  closer.join();
  CHECK(closed);
  std::printf("rows sent and received\n");
}

std::atomic<bool> gate{true};

// Waits for the gate.
void gated_kernel(const double*, const double*, const double*, double* memory, double*, double* terms, std::int64_t) {
  while (!gate.load()) std::this_thread::yield();
  terms[0] = memory[0] += 1;
}

// Rows of several engines, which are received together: those that are done first come first, whatever holds up the others,
// and each ends where whole steps lead it.
void check_streams_together(int steps) {
  const int rows = kSizes.rows, width = kSizes.actions;
  const std::vector<int> all = first_rows(rows);
  std::vector<double> actions(static_cast<std::size_t>(rows * width));
  for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = 1e-3 * static_cast<double>(i % 1999) - 1;
  const auto place_all = [&](Engine& engine, int shift) {
    for (int row = 0; row < rows; ++row) {
      const int index = (row + shift) % kTooSmall;
      place(engine, row, index, *scenes()[static_cast<std::size_t>(index)]);
      engine.kernel_of_row[static_cast<std::size_t>(row)] = 0;
    }
  };
  std::vector<decltype(Matrix<double>::data)> expected;
  for (int shift = 0; shift < 3; ++shift) {
    const auto whole = make_engine(1);
    place_all(*whole, shift);
    for (int t = 0; t < steps; ++t) CHECK(step(*whole, actions, nullptr, How::run));
    expected.push_back(whole->states.data);
  }
  for (const int threads : {1, 2, 5}) {
    std::vector<std::unique_ptr<Engine>> engines;
    std::vector<Engine*> together;
    for (int shift = 0; shift < 3; ++shift) {
      engines.push_back(make_engine(threads));
      together.push_back(engines.back().get());
      place_all(*together.back(), shift);
    }
    throws<std::logic_error>([&] { Engine::receive(together, 1, never); });
    throws<std::logic_error>([&] { Engine::receive({}, 1, never); });
    throws<std::invalid_argument>([&] { Engine::receive({together[0], together[1], together[0]}, 1, never); });
    std::vector<std::vector<int>> taken(3, std::vector<int>(static_cast<std::size_t>(rows)));
    for (Engine* const engine : together) engine->send(actions.data(), all);
    for (int left = 3 * rows * steps, turn = 0; left > 0; ++turn) {
      const std::vector<RowStream::Taken> done = Engine::receive(together, 1 + turn % 11, never);
      left -= static_cast<int>(done.size());
      for (const RowStream::Taken& each : done) {
        int& count = taken[static_cast<std::size_t>(each.stream)][static_cast<std::size_t>(each.row)];
        Engine& engine = *together[static_cast<std::size_t>(each.stream)];
        if (++count < steps) engine.send(actions.data() + each.row * width, {each.row});
      }
    }
    for (std::size_t k = 0; k < 3; ++k) CHECK(together[k]->under_way() == 0 && together[k]->states.data == expected[k]);

    Engine held(scenes(), {gated_kernel}, kSizes, threads);
    place_all(held, 0);
    const std::vector<Engine*> both{&held, together[1]};
    gate = false;
    held.send(actions.data(), all);
    together[1]->send(actions.data(), all);
    for (int left = rows; left > 0;) {
      const std::vector<RowStream::Taken> done = Engine::receive(both, std::min(left, 7), never);
      for (const RowStream::Taken& each : done) CHECK(each.stream == 1);
      left -= static_cast<int>(done.size());
    }
    patience = 1;
    CHECK(Engine::receive(both, 1, interrupted).empty());
    CHECK(held.under_way() == rows && together[1]->under_way() == 0);
    gate = true;
    held.set_kernel(0, gated_kernel);  // waits for all
    together[1]->send(actions.data(), {5});
    together[1]->set_kernel(0, kernel<1>);
    patience = 0;
    CHECK(Engine::receive(both, rows + 1, interrupted).empty());  // there are enough, and all are under way still
    CHECK(held.under_way() == rows && together[1]->under_way() == 1);
    CHECK(Engine::receive(both, 10 * rows, never).size() == static_cast<std::size_t>(rows) + 1);
    for (int row = 0; row < rows; ++row) CHECK(held.terms.row(row)[0] == 1);

    gate = false;
    held.send(actions.data(), all);
    together[1]->send(actions.data(), all);
    std::thread closer([&] {
      while (!together[1]->running()) std::this_thread::yield();
      together[1]->close();
    });
    throws<std::logic_error>([&] { Engine::receive(both, 2 * rows, never); });
    closer.join();
    gate = true;
    throws<std::logic_error>([&] { Engine::receive(both, 1, never); });  // one is closed
    CHECK(receive(held, 2 * rows, never).size() == static_cast<std::size_t>(rows));
    CHECK(held.terms.row(rows - 1)[0] == 2);
  }
  std::printf("rows of several engines received together\n");
}

// Chunks of steps end where single steps lead, on any number of threads. Rows stop where they are told to, after a step that
// succeeds, and where MuJoCo raises an error.
template <typename T>
void check_chunks(int steps) {
  const int rows = kSizes.rows, width = kSizes.actions;
  const auto n = static_cast<std::size_t>(rows), count = static_cast<std::size_t>(steps);
  std::vector<T> actions(n * count * static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = static_cast<T>(std::sin(static_cast<double>(i)));
  std::vector<std::int32_t> left(n);
  const Mask chosen(rows), ends(rows);
  const auto place_all = [&](Engine& engine) {
    for (int row = 0; row < rows; ++row) {
      const auto i = static_cast<std::size_t>(row);
      const int index = row % static_cast<int>(scenes().size());
      place(engine, row, index, *scenes()[static_cast<std::size_t>(index)]);
      engine.kernel_of_row[i] = row % 2;
      left[i] = 1 + row % (steps + 3);
      chosen.bits[i] = row % 7 != 3;
      ends.bits[i] = row % 5 == 0;
    }
  };
  // The same, step by step.
  const auto single = make_engine(1);
  place_all(*single);
  std::vector<std::int32_t> taken(n), faults(n * count);
  std::vector<double> terms(n * count), seen(n * count * 2);
  for (std::size_t t = 0; t < count; ++t) {
    std::vector<T> now(n * static_cast<std::size_t>(width));
    const Mask going(rows);
    for (std::size_t i = 0; i < n; ++i) {
      const auto begin = actions.begin() + static_cast<std::ptrdiff_t>((i * count + t) * static_cast<std::size_t>(width));
      std::copy(begin, begin + width, now.begin() + static_cast<std::ptrdiff_t>(i) * width);
      const std::size_t before = i * count + t - 1;
      const bool ended = t > 0 && (taken[i] < static_cast<std::int32_t>(t) || faults[before] != 0 || taken[i] >= left[i] ||
                                   (ends.bits[i] && terms[before] == 1.0));
      going.bits[i] = chosen.bits[i] && !ended;
    }
    CHECK(step(*single, now, going.bits.get(), How::run));
    for (std::size_t i = 0; i < n; ++i) {
      if (!going.bits[i]) continue;
      const int row = static_cast<int>(i);
      ++taken[i];
      faults[i * count + t] = single->faults[i];
      terms[i * count + t] = single->terms.row(row)[0];
      std::copy(single->obs.row(row), single->obs.row(row) + 2,
                seen.begin() + static_cast<std::ptrdiff_t>(2 * (i * count + t)));
    }
  }
  for (const int threads : {1, 2, 3, 16}) {
    for (const bool each : {false, true}) {
      const auto engine = make_engine(threads);
      place_all(*engine);
      std::vector<std::int32_t> its_taken(n, 99), its_faults(n * count);
      std::vector<double> its_terms(n * count), its_obs(n * count * 2);
      Chunk chunk{actions.data(),
                  std::is_same<T, float>::value,
                  steps,
                  left.data(),
                  ends.bits.get(),
                  0,
                  -1,
                  its_terms.data(),
                  each ? its_obs.data() : nullptr,
                  its_faults.data(),
                  its_taken.data()};
      CHECK(engine->begin_chunk(chunk, chosen.bits.get(), threads).finish(never));
      CHECK(its_taken == taken && its_faults == faults && its_terms == terms);
      if (each) CHECK(its_obs == seen);
      CHECK(engine->states.data == single->states.data && engine->memory.data == single->memory.data);
      CHECK(step(*engine, std::vector<T>(n * static_cast<std::size_t>(width)), nullptr, How::run));  // one step a row again
      CHECK(its_taken == taken && its_terms == terms);
      chunk.end_term = 0;  // any reported number but 0 ends a row
      CHECK(engine->begin_chunk(chunk, nullptr).finish(never));
      for (std::size_t i = 0; i < n; ++i) {
        for (std::int32_t t = 0; t + 1 < its_taken[i]; ++t) CHECK(its_terms[i * count + static_cast<std::size_t>(t)] == 0.0);
      }
    }
  }
  {  // Ctrl-C: rows whose turn has not come take no step
    const auto engine = slow_engine(2, kSlowRows);
    std::vector<std::int32_t> its_taken(kSlowRows, 99), its_faults(kSlowRows * count), all(kSlowRows, steps);
    std::vector<double> its_terms(kSlowRows * count);
    const std::vector<T> zeros(kSlowRows * count * static_cast<std::size_t>(width));
    const Mask none(kSlowRows);
    std::fill(none.bits.get(), none.bits.get() + kSlowRows, false);
    const Chunk chunk{zeros.data(),
                      std::is_same<T, float>::value,
                      steps,
                      all.data(),
                      none.bits.get(),
                      -1,
                      -1,
                      its_terms.data(),
                      nullptr,
                      its_faults.data(),
                      its_taken.data()};
    patience = 0;
    CHECK(!engine->begin_chunk(chunk, nullptr).finish(interrupted));
    int dropped = 0;
    for (std::size_t i = 0; i < kSlowRows; ++i) {
      CHECK((its_taken[i] == 0) == (engine->faults[i] == kNotStepped));
      dropped += its_taken[i] == 0;
    }
    CHECK(dropped > 0);
  }
  std::printf("chunks of %s\n", std::is_same<T, float>::value ? "float" : "double");
}

// How many allocations this thread may still make: below zero, any number.
thread_local int allocations = -1;
std::atomic<int> thrown{0};

// Fails in some rows, after it has changed their memory.
void failing_kernel(const double*, const double*, const double* params, double* memory, double*, double* terms,
                    std::int64_t) {
  memory[0] += 1;
  if (params[0] > 0) {
    ++thrown;
    if (params[0] > 1) throw 7;
    throw std::bad_alloc();
  }
  terms[0] = memory[0];
}

// An exception in a kernel is the row's own fault: the row stays as it was, and the others go on.
void check_exceptions_in_kernels() {
  const int rows = kSizes.rows;
  const std::vector<double> actions(static_cast<std::size_t>(rows * kSizes.actions));
  for (int threads = 1; threads <= 4; ++threads) {
    for (const How how : {How::run, How::launch}) {
      Engine engine(scenes(), {failing_kernel}, kSizes, threads);
      for (int row = 0; row < rows; ++row) {
        const int index = row % kTooSmall;
        place(engine, row, index, *scenes()[static_cast<std::size_t>(index)]);
        engine.kernel_of_row[static_cast<std::size_t>(row)] = 0;
        engine.params.row(row)[0] = row % 5 == 0 ? 1 + row % 2 : 0;
      }
      const auto before = engine.states.data;
      for (int t = 1; t <= 3; ++t) {
        thrown = 0;
        CHECK(step(engine, actions, nullptr, how));
        CHECK(thrown == rows / 5);
        CHECK(!engine.went_well());
        for (int row = 0; row < rows; ++row) {
          const auto r = static_cast<std::size_t>(row);
          const bool fails = row % 5 == 0;
          CHECK(engine.faults[r] == (fails ? kError : 0));
          CHECK(engine.memory.row(row)[0] == (fails ? 0 : t));
          if (!fails) continue;
          CHECK(std::memcmp(engine.states.row(row), before.data() + engine.states.start(row),
                            static_cast<std::size_t>(engine.states.width) * sizeof(double)) == 0);
          CHECK(engine.error(row).find(row % 2 == 0 ? "C++ exception: std::bad_alloc" : "C++ exception: not a") == 0);
        }
      }
    }
  }
  std::printf("exceptions in kernels\n");
}

// Memory that is gone, at each of the engine's own allocations in turn: a thread's simulator and its model, and texts.
void check_no_memory() {
  Sizes sizes = kSizes;
  sizes.rows = 2;
  const std::vector<double> actions(static_cast<std::size_t>(2 * kSizes.actions));
  const auto& scene = scenes()[1];
  Engine good({scene, scenes()[kTooSmall]}, {}, sizes, 1);
  place(good, 0, 0, *scene);
  place(good, 1, 1, *scenes()[kTooSmall]);
  CHECK(step(good, actions, nullptr, How::run));
  int failed = 0;
  for (int left = 0; left < 12; ++left) {
    for (const bool forward : {false, true}) {
      Engine engine({scene, scenes()[kTooSmall]}, {}, sizes, 1);
      place(engine, 0, 0, *scene);
      place(engine, 1, 1, *scenes()[kTooSmall]);
      const auto before = engine.states.data;
      Engine::Step begun = forward ? engine.begin_forward(nullptr, true) : engine.begin(actions.data(), nullptr);
      allocations = left;
      begun.finish(never);
      allocations = -1;
      for (int row = 0; row < 2; ++row) {
        if ((engine.faults[static_cast<std::size_t>(row)] & kError) == 0) continue;
        ++failed;
        CHECK(!engine.error(row).empty());
        CHECK(std::memcmp(engine.states.row(row), before.data() + engine.states.start(row),
                          static_cast<std::size_t>(engine.states.width) * sizeof(double)) == 0);
      }
      {
        const Engine::Step ended = std::move(begun);
      }
      if (forward) continue;
      engine.states.data = before;
      CHECK(step(engine, actions, nullptr, How::run));
      CHECK(engine.states.data == good.states.data);
    }
  }
  CHECK(failed > 24);  // more than the second row's own error
  std::printf("no memory\n");
}

}  // namespace

// Not inlined: g++ would take the free in one for the wrong partner of the other.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (allocations == 0) return nullptr;
  if (allocations > 0) --allocations;
  return std::malloc(size > 0 ? size : 1);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main() {
  check_wrong_arguments();
  check_threads_change_nothing(40);
  check_two_engines_in_two_threads(40);
  check_many_small_steps();
  check_settling();
  check_bare_loop();
  check_streams(20);
  check_streams_together(6);
  check_chunks<float>(9);
  check_chunks<double>(9);
  check_exceptions_in_kernels();
  check_no_memory();
  check_interrupts();
  check_close();
  std::printf("all checks hold\n");
}

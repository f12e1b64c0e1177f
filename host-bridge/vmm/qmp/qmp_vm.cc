#include "host-bridge/vmm/qmp/qmp_vm.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "host-bridge/vmm/qmp/balloon_commands.h"
#include "host-bridge/vmm/qmp/device_orders.h"
#include "host-bridge/vmm/qmp/machine_watch.h"
#include "host-bridge/vmm/qmp/plug_task.h"
#include "host-bridge/vmm/qmp/qmp_client.h"
#include "host-bridge/vmm/qmp/request_task.h"
#include "host-bridge/vmm/qmp/statistics_reader.h"
#include "host-bridge/vmm/qmp/unplug_task.h"
#include "host-bridge/vmm/qmp/vm_context.h"

namespace ballast::vmm::qmp {

namespace asio = boost::asio;

// Lives on the I/O thread; outlasts the VM's object until its last handler has run.
class QmpVm::Core final : public ClientListener, public std::enable_shared_from_this<Core> {
 public:
  explicit Core(std::shared_ptr<VmContext> context) : vm(std::move(context)) {}

  // Before anything else, once.
  void Prepare();
  void Start() { vm->client->Start(); }
  void Stop();
  void SetBalloon(uint64_t id, BalloonBytes target) { balloon_->Set(id, target); }
  // Smaller blocks, as of some guests on arm64, take DIMMs of the usual unit as well.
  void SetGuestBlock(int64_t bytes) { watch_->SetDimmUnit(std::max(bytes, kLeastDimmUnit)); }
  // An order of type Task, made of these arguments.
  template <typename Task, typename... Arguments>
  void Order(uint64_t id, std::string device, Arguments... arguments) {
    orders_->Add(id, std::move(device), [=](DeviceTask::Tools tools, DeviceTask::Done done) {
      return std::make_shared<Task>(std::move(tools), std::move(done), arguments...);
    });
  }

  void OnUp(const Greeting& greeting) override;
  void OnDown(const absl::Status& why) override;
  void OnEvent(const Event& event) override;

  const std::shared_ptr<VmContext> vm;

 private:
  void OnReady();

  std::shared_ptr<StatisticsReader> statistics_;  // absent where nobody asked for them
  std::shared_ptr<MachineWatch> watch_;
  std::shared_ptr<BalloonCommands> balloon_;
  std::shared_ptr<DeviceOrders> orders_;
};

void QmpVm::Core::Prepare() {
  ClientOptions options;
  options.name = vm->options.name;
  options.socket_path = vm->options.socket_path;
  options.greeting_timeout = vm->options.greeting_timeout;
  options.negotiation_timeout = vm->options.command_timeout;
  options.backoff = vm->options.backoff;
  vm->client = std::make_shared<Client>(vm->io, vm->clock, options, weak_from_this());
  watch_ = std::make_shared<MachineWatch>(vm, [self = weak_from_this()] {
    if (const auto core = self.lock()) core->OnReady();
  });
  balloon_ = std::make_shared<BalloonCommands>(vm, watch_);
  orders_ = std::make_shared<DeviceOrders>(DeviceTask::Tools{vm, watch_, balloon_});
  if (vm->options.statistics_interval > Nanos{0}) {
    const auto sink = [weak = std::weak_ptr(vm)](const BalloonStatistics& statistics) {
      const auto context = weak.lock();
      if (!context) return;
      const Sampled<BalloonStatistics> sample{statistics, context->clock.Now()};
      context->gate.Call(&ActuatorObserver::OnStatistics, sample);
    };
    statistics_ = std::make_shared<StatisticsReader>(vm->io, vm->client, vm->options.statistics_interval,
                                                     vm->options.command_timeout, sink);
  }
}

void QmpVm::Core::Stop() {
  watch_->Stop();
  orders_->Stop();
  if (statistics_) statistics_->End();
  vm->client->Close();
}

void QmpVm::Core::OnUp(const Greeting&) { watch_->Begin(); }

void QmpVm::Core::OnReady() {
  if (statistics_) statistics_->Begin();
  orders_->OnReady();
}

void QmpVm::Core::OnDown(const absl::Status& why) {
  if (statistics_) statistics_->End();
  watch_->End(why);
  balloon_->End();
  orders_->End(why);
}

// First what was ordered, so that a device that has just gone finds its order at the stage it was.
void QmpVm::Core::OnEvent(const Event& event) {
  orders_->OnEvent(event);
  watch_->OnEvent(event);
}

// --- The VM ---

QmpVm::QmpVm(asio::io_context& io, const Clock& clock, ActuatorObserver& observer,
             DeviceObserver* device_observer, QmpOptions options)
    : io_(io),
      core_(std::make_shared<Core>(
          std::make_shared<VmContext>(io, clock, observer, device_observer, std::move(options)))) {
  core_->Prepare();
}

QmpVm::~QmpVm() {
  core_->vm->gate.Shut();
  core_->vm->device_gate.Shut();
  // Keeps the core until the I/O thread has closed it; where that never runs again, the io_context frees it.
  asio::post(io_, [core = std::move(core_)] { core->Stop(); });
}

void QmpVm::Start() {
  asio::post(io_, [core = core_] { core->Start(); });
}

void QmpVm::SetBalloon(uint64_t id, BalloonBytes target) {
  asio::post(io_, [core = core_, id, target] { core->SetBalloon(id, target); });
}

void QmpVm::SetGuestBlock(int64_t bytes) {
  asio::post(io_, [core = core_, bytes] { core->SetGuestBlock(bytes); });
}

void QmpVm::Plug(uint64_t id, int64_t bytes) {
  asio::post(io_, [core = core_, id, bytes] { core->Order<PlugTask>(id, "", bytes); });
}

void QmpVm::Unplug(uint64_t id, const std::string& device, Nanos deadline) {
  asio::post(io_,
             [core = core_, id, device, deadline] { core->Order<UnplugTask>(id, device, device, deadline); });
}

void QmpVm::Request(uint64_t id, const std::string& device, int64_t bytes) {
  asio::post(io_, [core = core_, id, device, bytes] { core->Order<RequestTask>(id, device, device, bytes); });
}

void QmpVm::RemoveOrphans(uint64_t id) {
  asio::post(io_, [core = core_, id] { core->Order<OrphanTask>(id, ""); });
}

}  // namespace ballast::vmm::qmp

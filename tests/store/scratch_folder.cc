#include "tests/store/scratch_folder.h"

#include <cstdlib>
#include <system_error>

#include "engine/base/assert.h"

namespace triggerd::store::testing {

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "triggerd-test-XXXXXX").string();
  TRIGGERD_ASSERT(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace triggerd::store::testing

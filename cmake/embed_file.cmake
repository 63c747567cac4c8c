# triggerd_embed(TARGET SYMBOL FILE): the bytes of a file in the binary, as the C symbols SYMBOL and
# SYMBOLEnd (one past the last), and the hexadecimal SHA-256 of them as the string SYMBOLSha256.
# The assembler takes the file as it is, which costs milliseconds where an array costs seconds.
function(triggerd_embed target symbol file)
  get_filename_component(path ${file} ABSOLUTE)
  file(SHA256 ${path} sha256)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
.section .rodata
.global @symbol@
.global @symbol@End
.global @symbol@Sha256
@symbol@:
.incbin "@path@"
@symbol@End:
.byte 0
@symbol@Sha256:
.asciz "@sha256@"
.section .note.GNU-stack,"",%progbits
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(${target} PRIVATE ${source})
endfunction()

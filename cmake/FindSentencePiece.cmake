# The SentencePiece library, 0.1.97 or later (Debian: libsentencepiece-dev): target SentencePiece::sentencepiece.
find_path(SentencePiece_INCLUDE_DIR sentencepiece_processor.h)
find_library(SentencePiece_LIBRARY sentencepiece)
mark_as_advanced(SentencePiece_INCLUDE_DIR SentencePiece_LIBRARY)

# Positions of pieces in the text came with 0.1.97; the header tells no version.
set(SentencePiece_HAS_POSITIONS FALSE)
if(SentencePiece_INCLUDE_DIR)
  file(STRINGS ${SentencePiece_INCLUDE_DIR}/sentencepiece_processor.h positions REGEX "EncodeAsImmutableProto")
  if(positions)
    set(SentencePiece_HAS_POSITIONS TRUE)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SentencePiece REQUIRED_VARS SentencePiece_LIBRARY
  SentencePiece_INCLUDE_DIR SentencePiece_HAS_POSITIONS)
if(SentencePiece_FOUND AND NOT TARGET SentencePiece::sentencepiece)
  add_library(SentencePiece::sentencepiece UNKNOWN IMPORTED)
  set_target_properties(SentencePiece::sentencepiece PROPERTIES
    IMPORTED_LOCATION ${SentencePiece_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${SentencePiece_INCLUDE_DIR})
endif()
